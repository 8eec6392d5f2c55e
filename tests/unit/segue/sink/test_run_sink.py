"""What a run keeps, and when it gives up, over a made-up Kafka and a made-up database."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from segue.config.settings import Settings
from segue.sink import run_sink as module
from segue.sink.run_sink import run_sink
from segue.sink.segment_tables import Place, Position, check_positions
from segue.sink.sink_rows import Batch
from streamer.kafka.kafka_admin import TopicFacts

CHANGES, USERS = ("segment-changes", 0), ("user-segments", 0)
IDS = {"segment-changes": "c", "user-segments": "u"}


class MadeUpKafka:
    """Topics without a record that can be read, whose older records are deleted."""

    begins: dict[Place, int]

    def __init__(self, *_: object, starts: Mapping[Place, int] | None = None, **__: object) -> None:
        self.reached = {place: (starts or {}).get(place, 0) for place in self.begins}

    def ends(self) -> dict[Place, int]:
        return self.begins

    def poll(self, _timeout_s: float) -> None:
        raise KeyboardInterrupt  # ctrl-C comes before the first record

    def close(self) -> None:
        pass


class MadeUpDatabase:
    name = "schema segue"

    def __init__(self) -> None:
        self.stored: dict[Place, Position] = {}

    def start(self, topic_ids: Mapping[str, str], begins: Mapping[Place, int]) -> dict[Place, int]:
        check_positions(self.stored, topic_ids, begins, self.name)
        return {place: at.next_offset for place, at in self.stored.items()}

    def apply(self, _batch: Batch, positions: Mapping[Place, Position]) -> None:
        self.stored.update(positions)

    def publish(self, *, last: bool) -> None:
        pass

    def counts(self) -> tuple[int, int]:
        return 0, 0

    def close(self) -> None:
        pass


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> type[MadeUpKafka]:
    facts = {name: TopicFacts(each, 1) for name, each in IDS.items()}
    monkeypatch.setattr(module, "CommittedReader", MadeUpKafka)
    monkeypatch.setattr(module._Follower, "_look", lambda *_: (facts, MadeUpKafka.begins))
    return MadeUpKafka


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
