"""`segue flow` counts every committed move once, whatever is killed."""

from __future__ import annotations

import random
import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from msgspec.structs import replace

from schemas.outputs.segment_change import Change, SegmentChange
from segue.connect.read_topics import CommittedReader
from segue.flow.changelog_rows import read_key, read_row
from segue.flow.moved_row import Row, Way, further
from segue.services import KafkaService, LocalKafka
from tests.support.servers.segue_process import SegueProcess
from tests.support.servers.services import HANG_S, eventually
from tests.support.servers.topic_admin import delete_records
from tests.support.workers.change_writer import ChangeWriter

LANES = 3

Moves = Counter[tuple[int, int | None, int]]


class Tables:
    """Reads what the tables say from their changelog, as it grows."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._reader = CommittedReader({"bootstrap.servers": bootstrap}, [topic], from_beginning=True)
        self._rows: dict[tuple[Way, int], Row] = {}

    def moves(self) -> Moves:
        """By hour, former and present segment."""
        ends = self._reader.ends()
        while not self._reader.has_reached(ends):
            if (message := self._reader.poll(0.1)) is not None:
                key, value = message.key(), message.value()
                assert key is not None
                assert value is not None
                place = read_key(key)
                self._rows[place] = further(self._rows.get(place), read_row(value))
        moves: Moves = Counter()
        for (way, hour), row in self._rows.items():
            moves[hour, way.previous, way.segment] += row.moves
        return moves

    def close(self) -> None:
        self._reader.close()


@dataclass(frozen=True)
class World:
    """The topics of one test, a writer of changes, and a way to run the command."""

    writer: ChangeWriter
    folder: Path
    group: str

    def flow(self, name: str = "flow") -> SegueProcess:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        environment = {
            "SEGUE_KAFKA": self.writer.bootstrap,
            "SEGUE_TOPIC_PREFIX": self.writer.topics.prefix,
            "SEGUE_GROUP": self.group,
            "SEGUE_SESSION_TIMEOUT_MS": "6000",
        }
        return SegueProcess(folder, "flow", environment=environment)

    @contextmanager
    def tables(self) -> Iterator[Tables]:
        with closing(Tables(self.writer.bootstrap, self.writer.topics.flow_hours)) as tables:
            yield tables


def expected(changes: Iterable[Change]) -> Moves:
    return Counter(
        (
            int(change.emitted_at.replace(minute=0, second=0, microsecond=0).timestamp()),
            change.previous_segment,
            change.segment,
        )
        for change in changes
        if isinstance(change, SegmentChange) and change.kind == "moved"
    )


def recent(changes: Iterable[Change]) -> Iterator[Change]:
    """The changes, decided at some time of the last six hours."""
    drawn, now = random.Random(3), datetime.now(UTC)
    for change in changes:
        yield replace(change, emitted_at=now - timedelta(minutes=drawn.randrange(360)))


@pytest.fixture
def world(kafka: KafkaService, topic_prefix: str, tmp_path: Path) -> World:
    writer = ChangeWriter(kafka.bootstrap, topic_prefix, partitions=LANES)
    return World(writer, tmp_path, f"{topic_prefix}segue")


def test_a_crash_counts_no_change_twice(world: World) -> None:
    """Also if no offset was committed, and with aborted changes between."""
    writer = world.writer
    writer.write_each(recent(writer.lives(40, 600)), 7)
    # Those that the writer aborts and writes again have one id: these come never again.
    writer.lose(*recent(writer.goes(f"lost {number}", 1) for number in range(20)))
    with world.flow() as process:
        process.says("Counting the moves")
        with world.tables() as tables:
            eventually(lambda: sum(tables.moves().values()) > 100, "it counts")
            process.terminate(signal.SIGKILL)
    with world.flow() as process, world.tables() as tables:
        writer.write_each(recent(writer.lives(40, 300)), 7)
        wanted = expected(writer.written)
        eventually(lambda: tables.moves() == wanted, "all changes are counted")
        process.terminate()
        assert process.ends() == 0, process.err


@pytest.mark.long
def test_two_processes_share_the_partitions_and_one_takes_over(world: World) -> None:
    """Each change counts once while partitions move, and after a process was killed."""
    writer = world.writer
    with world.flow("one") as one, world.flow("two") as two:
        one.says("Counting the moves")
        two.says("Counting the moves")
        with world.tables() as tables:

            def all_are_counted() -> bool:
                return tables.moves() == expected(writer.written)

            def are_shared() -> bool:
                """Each has some partitions; changes come meanwhile."""
                writer.write_each(recent(writer.lives(40, 20)), 7)
                owned = [
                    re.findall(r"flow.counts partitions=\"?\[([^]]+)", each.err)[-1:] for each in (one, two)
                ]
                assert all(owned)
                numbers = [number for (each,) in owned for number in each.split(", ")]
                return sorted(numbers) == ["0", "1", "2"]

            eventually(are_shared, "both have partitions")
            eventually(all_are_counted, "all changes are counted")
            two.terminate(signal.SIGKILL)
            writer.write_each(recent(writer.lives(40, 200)), 7)
            eventually(all_are_counted, "the other counts all")


def test_a_kafka_that_is_away_is_one_sentence(tmp_path: Path) -> None:
    with SegueProcess(tmp_path, "flow", environment={"SEGUE_KAFKA": "127.0.0.1:1"}) as process:
        process.says("Waiting since")
        process.terminate(signal.SIGINT)
        assert process.ends() == 130
    (sentence, word) = process.err.splitlines()
    assert sentence.startswith("Kafka at 127.0.0.1:1 has not answered yet. Waiting since ")
    assert word == "Interrupted."


def test_without_changes_there_is_nothing_to_count(kafka: KafkaService, tmp_path: Path) -> None:
    environment = {"SEGUE_KAFKA": kafka.bootstrap, "SEGUE_TOPIC_PREFIX": "nobody-"}
    with SegueProcess(tmp_path, "flow", environment=environment) as process:
        assert process.ends() == 6
    assert "nobody-segment-changes" in process.err


@pytest.mark.wide
def test_kills_at_random_times_count_no_change_twice(world: World) -> None:
    writer, drawn = world.writer, random.Random(5)
    for _ in range(6):
        before = sum(expected(writer.written).values())
        writer.write_each(recent(writer.lives(60, 300)), 7)
        goal = drawn.randint(before + 1, sum(expected(writer.written).values()))
        with world.flow() as process:
            process.says("Counting the moves")
            with world.tables() as tables:
                while sum(tables.moves().values()) < goal:
                    pass
                process.terminate(signal.SIGKILL)
    with world.flow(), world.tables() as tables:
        eventually(lambda: tables.moves() == expected(writer.written), "all changes are counted")


@pytest.mark.wide
def test_it_goes_on_when_kafka_is_back_and_when_it_was_paused_beyond_its_session(
    fresh_kafka: Callable[..., LocalKafka], topic_prefix: str, tmp_path: Path
) -> None:
    kafka = fresh_kafka()
    world = World(
        ChangeWriter(kafka.bootstrap, topic_prefix, partitions=LANES), tmp_path, f"{topic_prefix}segue"
    )
    writer = world.writer
    with world.flow("one") as one, world.flow("two") as two:
        for process in (one, two):
            process.says("flow.counts")
        with world.tables() as tables:

            def all_are_counted() -> bool:
                return tables.moves() == expected(writer.written)

            writer.write_each(recent(writer.lives(40, 100)), 7)
            eventually(all_are_counted, "all changes are counted")
            two.terminate(signal.SIGSTOP)
            for _ in range(4):
                writer.write_each(recent(writer.lives(40, 100)), 7)
                time.sleep(2)  # a session is 6 s
            eventually(all_are_counted, "the other counts all")
            two.terminate(signal.SIGCONT)
            writer.write_each(recent(writer.lives(40, 300)), 7)
            eventually(all_are_counted, "all changes are counted, also by the one that came back")
            kafka.kill()
            kafka.start()
            writer.write_each(recent(writer.lives(40, 300)), 7)
            eventually(all_are_counted, "all changes are counted after Kafka was away")


@pytest.mark.wide
def test_changes_that_kafka_deleted_are_named_and_the_rest_is_counted(world: World) -> None:
    writer = world.writer
    writer.write_each(recent(writer.lives(40, 100)), 7)
    with world.flow() as process:
        process.says("flow.counts")
        with world.tables() as tables:
            eventually(lambda: tables.moves() == expected(writer.written), "all changes are counted")
        process.terminate()
        assert process.ends() == 0
    counted = len(writer.written)
    writer.write_each(recent(writer.lives(40, 100)), 7)
    delete_records(writer.bootstrap, writer.topics.changes, LANES)
    del writer.written[counted:]
    writer.write_each(recent(writer.lives(40, 100)), 7)
    with world.flow() as process, world.tables() as tables:
        eventually(lambda: tables.moves() == expected(writer.written), "the others are counted")
        assert process.err.count("flow.changes_deleted partition=") == LANES
        admin = AdminClient({"bootstrap.servers": writer.bootstrap})
        admin.delete_topics([writer.topics.changes])[writer.topics.changes].result(HANG_S)
        assert process.ends() == 6
        assert f"Error: topic {writer.topics.changes} is gone: start the command again" in process.err
