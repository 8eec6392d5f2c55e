"""What a run keeps, and when it gives up, over a made-up Kafka and a made-up database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import pytest

from schemas.errors import BadTopics
from segue.config.settings import Settings
from segue.connect.wait_for_servers import Wait
from segue.sink import run_sink as module
from segue.sink.run_sink import run_sink
from segue.sink.segment_tables import Place, Position, SinkLost, check_positions
from segue.sink.sink_rows import Batch
from streamer.kafka.kafka_admin import TopicFacts

CHANGES, USERS = ("segment-changes", 0), ("user-segments", 0)
IDS = {"segment-changes": "c", "user-segments": "u"}


class Clock:
    """Time that passes only while someone sleeps."""

    now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


class MadeUpKafka:
    """Topics without a record that can be read, whose older records are deleted."""

    begins: dict[Place, int]
    clock: Clock
    ctrl_c_s: float
    quiet_s: tuple[float, float]
    """From when until when nothing comes."""

    def __init__(self, *_: object, starts: Mapping[Place, int] | None = None, **__: object) -> None:
        self.reached = {place: (starts or {}).get(place, 0) for place in self.begins}

    def ends(self) -> dict[Place, int]:
        return self.begins

    def poll(self, timeout_s: float) -> None:
        """Read past a transaction marker."""
        if self.clock.now_s >= self.ctrl_c_s:
            raise KeyboardInterrupt
        self.clock.sleep(timeout_s)
        begin_s, end_s = self.quiet_s
        self.reached[CHANGES] += not begin_s < self.clock.now_s < end_s

    def close(self) -> None:
        pass


class MadeUpDatabase:
    """A database whose connection is lost in each apply that fails."""

    name = "schema segue"

    def __init__(self, fails: Callable[[], bool] = lambda: False) -> None:
        self.fails = fails
        self.stored: dict[Place, Position] = {}

    def start(self, topic_ids: Mapping[str, str], begins: Mapping[Place, int]) -> dict[Place, int]:
        check_positions(self.stored, topic_ids, begins, self.name)
        return {place: at.next_offset for place, at in self.stored.items()}

    def apply(self, _batch: Batch, positions: Mapping[Place, Position]) -> None:
        if self.fails():
            raise SinkLost("the database does not answer")
        self.stored.update(positions)

    def publish(self, *, last: bool) -> None:
        pass

    def counts(self) -> tuple[int, int]:
        return 0, 0

    def close(self) -> None:
        pass


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(module, "time", found)
    return found


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> type[MadeUpKafka]:
    facts = {name: TopicFacts(each, 1) for name, each in IDS.items()}
    monkeypatch.setattr(module, "CommittedReader", MadeUpKafka)
    MadeUpKafka.clock, MadeUpKafka.ctrl_c_s, MadeUpKafka.quiet_s = clock, 0, (0, 0)
    monkeypatch.setattr(module._Follower, "_look", lambda *_: (facts, MadeUpKafka.begins))
    return MadeUpKafka


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> list[str]:
    """What is said about the waits."""
    said: list[str] = []
    monkeypatch.setattr(module, "Wait", partial(Wait, say=said.append, clock=clock.monotonic))
    return said


def test_a_first_run_that_ends_early_starts_again_though_kafka_has_deleted_records(
    kafka: type[MadeUpKafka],
) -> None:
    kafka.begins = {CHANGES: 500, USERS: 0}
    database, said = MadeUpDatabase(), list[str]()
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            run_sink(Settings(), lambda: database, "PostgreSQL", said.append, once=False)
    assert database.stored == {CHANGES: Position(500, "c"), USERS: Position(0, "u")}
    assert [line.rpartition(", ")[2] for line in said] == [
        "from the oldest record in Kafka on.",
        "from its own offsets on.",
    ]


def test_topics_with_unequal_counts_are_one_sentence(
    kafka: type[MadeUpKafka], monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = {"segment-changes": 3, "user-segments": 2}
    facts = {name: TopicFacts(IDS[name], count) for name, count in counts.items()}
    kafka.begins = {(name, number): 0 for name, count in counts.items() for number in range(count)}
    monkeypatch.setattr(module._Follower, "_look", lambda *_: (facts, kafka.begins))
    with pytest.raises(BadTopics, match="segment-changes has 3 partitions and user-segments has 2: "):
        run_sink(Settings(), MadeUpDatabase, "PostgreSQL", lambda _: None, once=True)


def test_five_minutes_without_a_batch_that_could_be_written_end_the_run(
    kafka: type[MadeUpKafka], clock: Clock, waits: list[str]
) -> None:
    """Though each connection is accepted."""
    kafka.begins, kafka.ctrl_c_s = {CHANGES: 0, USERS: 0}, 10_000
    database, said = MadeUpDatabase(lambda: True), list[str]()
    with pytest.raises(SinkLost, match="the database does not answer"):
        run_sink(Settings(), lambda: database, "PostgreSQL", said.append, once=False)
    assert clock.now_s == 300
    assert len(said) == 1
    assert waits[0].startswith("the database does not answer. Waiting since")


def test_a_batch_that_is_written_ends_the_wait(
    kafka: type[MadeUpKafka], clock: Clock, waits: list[str]
) -> None:
    kafka.begins, kafka.ctrl_c_s = {CHANGES: 0, USERS: 0}, 1_000
    database = MadeUpDatabase(lambda: int(clock.now_s) % 210 < 200)
    with pytest.raises(KeyboardInterrupt):
        run_sink(Settings(), lambda: database, "PostgreSQL", lambda _: None, once=False)
    assert sum("PostgreSQL answers, after" in line for line in waits) == 4


def test_a_loss_long_after_another_begins_a_wait_of_its_own(
    kafka: type[MadeUpKafka], clock: Clock, waits: list[str]
) -> None:
    """Each commit is lost on its way back, so no apply is seen to succeed."""

    class Unseen(MadeUpDatabase):
        def apply(self, batch: Batch, positions: Mapping[Place, Position]) -> None:
            super().apply(batch, positions)
            raise SinkLost("the database does not answer")

    kafka.begins, kafka.ctrl_c_s = {CHANGES: 0, USERS: 0}, 3_601
    kafka.quiet_s = (2, 3_600)
    database = Unseen()
    with pytest.raises(KeyboardInterrupt):
        run_sink(Settings(), lambda: database, "PostgreSQL", lambda _: None, once=False)
    assert sum("Waiting since" in line for line in waits) == 2
