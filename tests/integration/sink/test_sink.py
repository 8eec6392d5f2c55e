"""`segue sink` writes every decided change once, whatever is killed."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest
from confluent_kafka import Producer
from msgspec.structs import replace

from schemas.outputs.segment_change import change_id
from schemas.outputs.wire import encode_change
from schemas.topics import Topics
from segue.services import KafkaService
from segue.sink.postgres_sink import PostgresSink
from segue.sink.segment_tables import SinkLost
from segue.sink.sink_rows import Erased, Row, batch_of, read_entry
from streamer.batch.change_records import change_records
from streamer.interfaces.lane_interfaces import OutRecord
from streamer.kafka.topics_admin import create_topics
from tests.support.inputs.made_change import AT, a_change
from tests.support.servers.postgres import Postgres, running_postgres
from tests.support.servers.segue_process import SegueProcess
from tests.support.servers.services import HANG_S, eventually
from tests.support.servers.topic_admin import delete_records
from tests.support.worlds.decided_log import DecidedLog, Transaction

LANES = 3


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as server:
        yield server


@dataclass(frozen=True)
class World:
    """The topics of one test, and a way to run the sink."""

    bootstrap: str
    topics: Topics
    folder: Path
    to: str

    @property
    def environment(self) -> dict[str, str]:
        return {"SEGUE_KAFKA": self.bootstrap, "SEGUE_TOPIC_PREFIX": self.topics.prefix}

    def sink(self, *options: str) -> SegueProcess:
        return SegueProcess(self.folder, "sink", "--to", self.to, *options, environment=self.environment)

    def once(self, *options: str) -> str:
        with self.sink("--once", *options) as process:
            assert process.ends() == 0, process.err
            return process.err

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query over `history` and `current`, as a reader of the sink writes it."""
        if self.to.startswith("postgresql://"):
            query = query.replace("$history", "segue.segment_history").replace(
                "$current", "segue.current_segments"
            )
            with psycopg.connect(self.to) as connection:
                return connection.execute(query.encode()).fetchall()
        latest = Path(self.to, "latest").resolve()
        for name, table in (("$history", "segment_history"), ("$current", "current_segments")):
            query = query.replace(name, f"read_parquet('{latest}/{table}.parquet')")
        with duckdb.connect() as connection:
            return connection.execute(query).fetchall()

    def has_begun(self) -> bool:
        """Whether a reader of the sink finds something."""
        if self.to.startswith("postgresql://"):
            return bool(self.rows("select 1 from $history limit 1"))
        return Path(self.to, "latest").exists()

    def check(self, log: DecidedLog) -> None:
        """Compare both tables with what was decided."""
        history = self.rows("select user_id, sequence, event_id, segment, kind from $history")
        assert sorted(history) == sorted(
            (user, sequence, c.event_id, c.segment, c.kind) for (user, sequence), c in log.history().items()
        )
        current = self.rows("select user_id, sequence, segment, segment_name, provisional from $current")
        assert sorted(current) == sorted(
            (user, c.sequence, c.segment, c.segment_name, c.provisional) for user, c in log.current().items()
        )
        open_rows = self.rows("select user_id, sequence from $history where valid_to is null")
        assert sorted(open_rows) == sorted(row[:2] for row in current)


@pytest.fixture(params=["postgres", "folder"])
def world(
    request: pytest.FixtureRequest, kafka: KafkaService, postgres: Postgres, topic_prefix: str, tmp_path: Path
) -> World:
    topics = Topics(topic_prefix)
    create_topics({"bootstrap.servers": kafka.bootstrap}, topics, LANES)
    to = postgres.new_database() if request.param == "postgres" else str(tmp_path / "sink")
    return World(kafka.bootstrap, topics, tmp_path, to)


# What both kinds do by the same code, one of them shows.
BOTH_BY_ONE = pytest.mark.parametrize(
    "world", ["postgres", pytest.param("folder", marks=pytest.mark.wide)], indirect=True
)


def write(
    world: World, transactions: Iterable[Transaction], chance: random.Random, pause_s: float = 0
) -> None:
    """Write as lanes do; some transactions are aborted and written again."""
    producers = []
    for lane in range(LANES):
        config = {"bootstrap.servers": world.bootstrap, "transactional.id": f"{world.topics.prefix}-{lane}"}
        producers.append(Producer(config))
        producers[-1].init_transactions(HANG_S)
    for transaction in transactions:
        producer = producers[transaction.lane]
        for aborted in (True, False):
            if aborted and chance.random() > 0.1:
                continue
            producer.begin_transaction()
            for record in transaction.records:
                assert record.partition is not None
                producer.produce(
                    record.topic, record.value, record.key, record.partition, headers=list(record.headers)
                )
            if aborted:
                producer.flush(HANG_S)
                producer.abort_transaction(HANG_S)
            else:
                producer.commit_transaction(HANG_S)
        time.sleep(pause_s)


@pytest.mark.wide
def test_once_writes_what_is_there_and_the_next_time_what_came_since(world: World) -> None:
    chance = random.Random(1)
    log = DecidedLog(1, world.topics, lanes=LANES)
    write(world, [*log.bootstrap(), *log.batches(60)], chance)
    assert "from the oldest record in Kafka on" in world.once()
    world.check(log)
    assert log.erasures > 2
    write(world, log.batches(60), chance)
    said = world.once()
    assert "from its own offsets on" in said
    world.check(log)
    assert "Read 0 records" not in said
    assert "Read 0 records" in world.once()
    world.check(log)


@pytest.mark.long
def test_kills_lose_and_repeat_nothing(world: World) -> None:
    chance = random.Random(2)
    log = DecidedLog(2, world.topics, lanes=LANES, users=30)
    transactions = [*log.bootstrap(), *log.batches(250)]
    writing = threading.Thread(target=write, args=(world, transactions, random.Random(3), 0.06))
    writing.start()
    kills = 0
    while writing.is_alive():
        with world.sink() as process:
            process.says("Writing to")
            time.sleep(chance.random() * 2)
            process.terminate(signal.SIGKILL)
            process.process.wait()
            kills += 1
    writing.join()
    assert kills >= 3
    world.once()
    world.check(log)


@BOTH_BY_ONE
@pytest.mark.long
def test_a_long_log_is_read_in_pieces(world: World) -> None:
    """More than waits in memory: partitions are paused and go on."""
    log = DecidedLog(6, world.topics, lanes=LANES, users=300)
    records: dict[int, list[OutRecord]] = {lane: [] for lane in range(LANES)}
    for transaction in log.batches(3_000):
        records[transaction.lane] += transaction.records
    assert min(map(len, records.values())) > 2 * 2 * 1_000
    write(world, [Transaction(lane, tuple(found)) for lane, found in records.items()], random.Random(1))
    world.once()
    world.check(log)


def test_ctrl_c_is_the_normal_end_and_what_was_read_is_there(world: World) -> None:
    log = DecidedLog(4, world.topics, lanes=LANES)
    write(world, log.batches(20), random.Random(4))
    with world.sink() as process:
        process.says("Writing to")
        if world.to.startswith("postgresql://"):
            wanted = sorted(log.history())
            eventually(lambda: sorted(world.rows("select user_id, sequence from $history")) == wanted)
        else:
            eventually(world.has_begun)
        process.terminate(signal.SIGINT)
        assert process.ends() == 0, process.err
        assert process.err.splitlines()[-1] == "Stopped."
    world.once()
    world.check(log)


def test_a_second_sink_is_refused(world: World) -> None:
    with world.sink() as first:
        first.says("Writing to")
        folder = world.folder / "second"
        folder.mkdir()
        second = SegueProcess(folder, "sink", "--to", world.to, "--once", environment=world.environment)
        with second:
            assert second.ends() == 3
            assert "end it first" in second.err
            assert len(second.err.splitlines()) == 1


@BOTH_BY_ONE
def test_the_topics_of_another_prefix_are_refused(world: World) -> None:
    world.once()
    other = Topics(f"x{world.topics.prefix}")
    create_topics({"bootstrap.servers": world.bootstrap}, other, LANES)
    environment = {**world.environment, "SEGUE_TOPIC_PREFIX": other.prefix}
    with SegueProcess(world.folder, "sink", "--to", world.to, "--once", environment=environment) as process:
        assert process.ends() == 6
        assert "correct topic_prefix, or let `segue sink` begin again" in process.err


def test_a_running_sink_that_kafka_s_deletions_overtake_ends_with_a_sentence(world: World) -> None:
    log = DecidedLog(5, world.topics, lanes=LANES)
    write(world, log.batches(20), random.Random(5))
    with world.sink() as process:
        process.says("Writing to")
        eventually(world.has_begun, "the first rows")
        process.terminate(signal.SIGSTOP)
        write(world, log.batches(20), random.Random(6))
        delete_records(world.bootstrap, world.topics.changes, LANES)
        process.terminate(signal.SIGCONT)
        assert process.ends() == 6
        assert f"Kafka has deleted records of {world.topics.changes}, partition" in process.err
        assert process.err.count("begin again in an empty schema or folder") == 1
    # Also at the next start: what was missed is not forgotten.
    with world.sink("--once") as process:
        assert process.ends() == 6


@pytest.mark.long
def test_a_lost_connection_is_made_again(
    kafka: KafkaService, postgres: Postgres, topic_prefix: str, tmp_path: Path
) -> None:
    topics = Topics(topic_prefix)
    create_topics({"bootstrap.servers": kafka.bootstrap}, topics, LANES)
    world = World(kafka.bootstrap, topics, tmp_path, postgres.new_database())
    log = DecidedLog(5, topics, lanes=LANES)
    end = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'segue sink'"
    with world.sink() as process, closing(psycopg.connect(world.to, autocommit=True)) as admin:
        process.says("Writing to")
        for _ in range(3):
            write(world, log.batches(10), random.Random(5))
            eventually(lambda: admin.execute(end).fetchall(), "a connection")
        wanted = sorted(log.history())
        eventually(lambda: sorted(world.rows("select user_id, sequence from $history")) == wanted)
        assert "does not answer" in process.err
        process.terminate(signal.SIGTERM)
        assert process.ends() == 0
    world.check(log)


def test_after_a_conflict_of_transactions_the_sink_begins_again(postgres: Postgres) -> None:
    """As after a deadlock, which is harder to make."""
    row = read_entry(None, encode_change(a_change(sequence=1)), (), 0)
    assert row is not None
    assert isinstance(row.step, Row)
    to = postgres.new_database()
    with (
        closing(psycopg.connect(to, autocommit=True)) as admin,
        closing(psycopg.connect(to)) as other,
        ThreadPoolExecutor() as thread,
    ):
        admin.execute("alter role current_user set default_transaction_isolation = 'repeatable read'")
        with closing(PostgresSink(to, "segue", "")) as sink:
            admin.execute("alter role current_user reset default_transaction_isolation")
            sink.apply(batch_of([row.step], ""), {})
            other.execute("update segue.current_segments set sequence = sequence")
            second = replace(row.step, sequence=2, event_id="2" * 32)
            applied = thread.submit(sink.apply, batch_of([second], ""), {})
            eventually(lambda: admin.execute("select 1 from pg_locks where not granted").fetchall(), "a lock")
            other.commit()
            with pytest.raises(SinkLost, match="has ended the transaction: could not serialize access"):
                applied.result(HANG_S)


def test_an_id_with_a_nul_is_written_and_erased(postgres: Postgres) -> None:
    url = postgres.new_database()
    record, _ = change_records(a_change(user_id="a\0b", segment_name="x\0y"), Topics(), 0, "models", None)
    entry = read_entry(record.key, record.value, record.headers, 0)
    assert entry is not None
    assert isinstance(entry.step, Row)
    with closing(PostgresSink(url, "segue", "")) as sink:
        sink.apply(batch_of([entry.step], ""), {})
        assert sink.rows("select user_id, segment_name from segue.current_segments") == [("a␀b", "x␀y")]
        back = replace(entry.step, event_id=change_id("", "a\0b", AT, 2))
        counts = []
        for step in (Erased("a\0b", AT), back, Erased("a\0b", AT)):  # an erasure stands in two topics
            sink.apply(batch_of([step], ""), {})
            counts.append(sink.counts())
        assert counts == [(0, 0), (1, 1), (1, 1)]


def test_a_wrong_login_names_no_password(tmp_path: Path, kafka: KafkaService, postgres: Postgres) -> None:
    url = f"postgresql://nobody:s3cret@/postgres?host={postgres.folder}"
    environment = {"SEGUE_KAFKA": kafka.bootstrap}
    with SegueProcess(tmp_path, "sink", "--to", url, environment=environment) as process:
        assert process.ends() == 5
        assert "does not let us in" in process.err
        assert "s3cret" not in process.err
        assert len(process.err.splitlines()) == 1
