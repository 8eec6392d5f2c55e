"""A lane's log in a real Kafka: what it commits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.producer import message_accumulator
from aiokafka.producer import producer as producer_module
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from confluent_kafka import Consumer, TopicPartition

from schemas.errors import BadSetting, BadTopics, Unreachable
from schemas.partitioner import partition_of
from segue.services import KafkaService
from streamer.interfaces.lane_errors import Fenced, InDoubt, LaneClosing
from streamer.interfaces.lane_interfaces import Committed, OutRecord
from streamer.kafka.kafka_client import Deadlines
from tests.support.checks.read_records import value_of
from tests.support.servers.services import HANG_S, eventually
from tests.support.workers.lane_logs import LANE, PARTITIONS, QUICK, LaneLogs, out, read_to


@pytest.fixture
def logs(kafka: KafkaService, topic_prefix: str) -> Iterator[LaneLogs]:
    with LaneLogs(kafka.bootstrap, topic_prefix) as logs:
        yield logs


def test_what_a_lane_commits_is_read_back_whole(logs: LaneLogs) -> None:
    log = logs.taken()
    users = logs.topics.users

    written = log.commit([out(users, b"first"), out(users, None, key=b"8")], {})

    assert written == {users: 2}
    log.read_from({users: 0})
    first, second = read_to(log, {users: 2})
    assert (first.topic, first.partition, first.offset) == (users, LANE, 0)
    assert (first.key, first.value, first.headers) == (b"7", b"first", (("ce_id", b"1"),))
    assert abs(first.timestamp_ms - time.time() * 1000) < 60_000
    assert (second.offset, second.key, second.value) == (1, b"8", None)


class NotUtf8(str):
    """A header's name that is written as bytes that are no UTF-8, as producers in other languages may."""

    __slots__ = ()

    def encode(self, _encoding: str = "", _errors: str = "") -> bytes:
        return b"\xff\xfe"


def test_records_with_a_header_that_nobody_can_name_are_read_without_headers(
    logs: LaneLogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    # librdkafka writes names as UTF-8, and so does aiokafka but for its batches in plain Python.
    for module in (message_accumulator, producer_module):
        monkeypatch.setattr(module, "DefaultRecordBatchBuilder", _DefaultRecordBatchBuilderPy)
    orders = logs.topics.orders

    async def send() -> None:
        async with AIOKafkaProducer(bootstrap_servers=logs.client["bootstrap.servers"]) as producer:
            for number in range(60):
                name = "ce_id" if number % 3 else NotUtf8("x")
                await producer.send(
                    orders,
                    str(number).encode(),
                    b"7",
                    partition=LANE,
                    headers=[("ce_type", b"o"), (name, b"1")],
                )

    asyncio.run(send())
    log = logs.taken()
    log.read_from({orders: 0})

    records = read_to(log, {orders: 60})
    assert [record.value for record in records] == [str(number).encode() for number in range(60)]
    # Not the first alone: Python calls warm code in another way.
    for number, record in enumerate(records):
        assert record.headers == ((("ce_type", b"o"), ("ce_id", b"1")) if number % 3 else ()), number


def test_offsets_are_committed_with_the_records_and_name_their_topics(logs: LaneLogs) -> None:
    signups, orders = logs.topics.inputs
    log = logs.taken()
    assert log.committed() == {}

    log.commit([], {signups: 41})
    assert log.committed() == {signups: Committed(41, log.watch(signups).topic_id)}

    log.commit([out(logs.topics.changes, b"x")], {signups: 42, orders: 3})
    assert log.committed() == {
        signups: Committed(42, log.watch(signups).topic_id),
        orders: Committed(3, log.watch(orders).topic_id),
    }
    assert log.watch(signups).topic_id != log.watch(orders).topic_id


def test_each_lane_has_offsets_of_its_own(logs: LaneLogs) -> None:
    signups, _ = logs.topics.inputs
    logs.taken().commit([], {signups: 5})

    assert logs.open(partition=0).committed() == {}
    assert logs.open(partition=LANE).committed()[signups].offset == 5


def test_offsets_that_a_tool_committed_name_no_topic_id(logs: LaneLogs) -> None:
    signups, _ = logs.topics.inputs
    with Consumer({**logs.client, "group.id": logs.group, "log_level": 0}) as consumer:
        consumer.commit(offsets=[TopicPartition(signups, LANE, 9)], asynchronous=False)

    assert logs.open().committed() == {signups: Committed(9, None)}


def test_commit_returns_the_next_offset_by_topic(logs: LaneLogs) -> None:
    changes, users, dead = logs.topics.changes, logs.topics.users, logs.topics.dead_letters
    log = logs.taken()

    # Three records, then a marker: the next transaction's first record is at offset 4.
    assert log.commit([out(changes, b"1"), out(changes, b"2"), out(changes, b"3")], {}) == {changes: 3}
    second = [out(changes, b"4"), out(users, b"5"), out(dead, b"6", partition=None)]
    assert log.commit(second, {}) == {changes: 5, users: 1}

    assert [(m.offset(), m.value()) for m in logs.seen(changes)] == [
        (0, b"1"),
        (1, b"2"),
        (2, b"3"),
        (4, b"4"),
    ]


def test_where_no_partition_is_named_the_partitioner_decides(logs: LaneLogs) -> None:
    log = logs.taken()
    dead = logs.topics.dead_letters
    keys = [str(n).encode() for n in range(20)]

    assert log.commit([out(dead, b"x", key=key, partition=None) for key in keys], {}) == {}

    for partition in range(PARTITIONS):
        right = {key for key in keys if partition_of(key.decode(), PARTITIONS) == partition}
        assert {m.key() for m in logs.seen(dead, partition)} == right


def test_the_partitioner_is_the_one_that_was_set(logs: LaneLogs) -> None:
    log = logs.taken(partitioner="crc32")
    dead = logs.topics.dead_letters
    keys = [str(n).encode() for n in range(20)]
    log.commit([out(dead, b"x", key=key, partition=None) for key in keys], {})

    right = {key for key in keys if partition_of(key.decode(), PARTITIONS, "crc32") == LANE}
    assert {m.key() for m in logs.seen(dead, LANE)} == right
    assert right != {key for key in keys if partition_of(key.decode(), PARTITIONS) == LANE}


def test_a_fenced_predecessor_is_refused_and_its_records_are_never_seen(logs: LaneLogs) -> None:
    changes, signups = logs.topics.changes, logs.topics.signups
    former = logs.taken()
    former.commit([out(changes, b"former, before")], {signups: 1})
    successor = logs.taken()

    with pytest.raises(Fenced):
        former.commit([out(changes, b"former, after")], {signups: 99})

    successor.commit([out(changes, b"successor")], {signups: 2})
    assert [m.value() for m in logs.seen(changes)] == [b"former, before", b"successor"]
    assert successor.committed()[signups].offset == 2


def test_an_open_transaction_is_ended_by_the_successors_fence(logs: LaneLogs) -> None:
    changes, signups = logs.topics.changes, logs.topics.signups
    former = logs.taken()
    former.commit([], {signups: 1})
    producer = former._writer._producer
    assert producer is not None
    producer.begin_transaction()
    producer.produce(changes, b"never decided", b"7", partition=LANE)
    producer.send_offsets_to_transaction([former._offset(signups, 50)], former._reader.group_metadata, 10)
    producer.flush(HANG_S)

    # While it is open, the group's offsets are not stable: nobody is told any.
    successor = logs.open(Deadlines(request_s=1))
    with pytest.raises(Unreachable, match="return the group's offset"):
        successor.committed()

    successor.fence()
    assert successor.committed()[signups].offset == 1
    assert logs.seen(changes) == []
    assert [m.value() for m in logs.seen(changes, isolation="read_uncommitted")] == [b"never decided"]


def test_a_transaction_that_failed_is_not_seen(logs: LaneLogs) -> None:
    changes = logs.topics.changes
    log = logs.taken()

    no_value: Any = 5
    with pytest.raises(TypeError):
        log.commit([out(changes, b"half"), OutRecord(changes, b"7", no_value, (), LANE)], {})
    with pytest.raises(InDoubt, match="not started"):
        log.commit([out(changes, b"no producer")], {})

    log.fence()
    log.commit([out(changes, b"whole")], {})
    assert [m.value() for m in logs.seen(changes)] == [b"whole"]


def test_large_records_come_and_go(logs: LaneLogs) -> None:
    changes, dead = logs.topics.changes, logs.topics.dead_letters
    big = f"{logs.topics.prefix}big"
    logs.make(big, config={"max.message.bytes": "5242880"})
    value = bytes(1_200_000)
    logs.send(big, value, b"small", value)
    log = logs.taken()
    log.read_from({big: 0})
    assert [len(r.value or b"") for r in read_to(log, {big: 3})] == [1_200_000, 5, 1_200_000]

    letter = bytes(4_000_000)
    log.commit([out(dead, letter), out(changes, b"beside it")], {})
    assert [len(value_of(m)) for m in logs.seen(dead)] == [4_000_000]
    assert [m.value() for m in logs.seen(changes)] == [b"beside it"]


def test_a_topic_that_refuses_a_records_size_is_named(logs: LaneLogs) -> None:
    small = f"{logs.topics.prefix}small"
    logs.make(small, config={"max.message.bytes": "1000000"})
    log = logs.taken()
    with pytest.raises(BadTopics, match=rf"{small} refuses a record of 2000001 bytes: set its max.message"):
        log.commit([out(logs.topics.changes, b"beside it"), out(small, bytes(2_000_000))], {})
    # The transaction was aborted at once, so its record holds up no reader.
    eventually(lambda: logs.stable_end(logs.topics.changes) == log.watch(logs.topics.changes).end == 2)

    log.fence()
    with pytest.raises(BadTopics, match=f"{small} refuses a record of 6000001 bytes"):
        log.commit([out(small, bytes(6_000_000))], {})
    assert logs.seen(logs.topics.changes) == []


def test_a_record_at_fault_before_others_is_named_by_the_next_transaction(logs: LaneLogs) -> None:
    """Only the last record of a topic has a report, until a transaction fails."""
    small = f"{logs.topics.prefix}small"
    logs.make(small, config={"max.message.bytes": "1000000"})
    log = logs.taken()
    records = [out(small, bytes(2_000_000)), out(small, b"after it")]
    with pytest.raises(InDoubt, match=rf"{small} .* Message size too large"):
        log.commit(records, {})
    log.fence()
    with pytest.raises(BadTopics, match=f"{small} refuses a record of 2000001 bytes"):
        log.commit(records, {})
    log.fence()
    next_offsets = log.commit([out(small, b"a"), out(small, b"b")], {})
    seen = logs.seen(small)
    assert [message.value() for message in seen] == [b"a", b"b"]
    assert next_offsets == {small: seen[-1].offset() + 1}


def test_an_output_topic_that_is_missing_is_named(logs: LaneLogs) -> None:
    changes = logs.topics.changes
    logs.delete(changes)
    log = logs.taken(client={"topic.metadata.propagation.max.ms": "500"})
    with pytest.raises(BadTopics, match=f"topic {changes} does not exist"):
        log.commit([out(changes, b"x")], {})


def test_a_full_queue_is_waited_for(logs: LaneLogs) -> None:
    log = logs.taken(client={"queue.buffering.max.messages": "10"})
    users = logs.topics.users
    assert log.commit([out(users, b"x") for _ in range(500)], {}) == {users: 500}
    assert len(logs.seen(users)) == 500


def test_many_transactions_of_many_records(logs: LaneLogs) -> None:
    changes, users, signups = logs.topics.changes, logs.topics.users, logs.topics.signups
    log = logs.taken()
    for n in range(10):
        records = [out(topic, str(n).encode()) for topic in (changes, users) for _ in range(250)]
        # 250 records and a marker, each time.
        assert log.commit(records, {signups: n}) == {changes: n * 251 + 250, users: n * 251 + 250}
    assert [m.value() for m in logs.seen(changes)] == [str(n).encode() for n in range(10) for _ in range(250)]
    assert log.committed()[signups].offset == 9


def test_settings_that_librdkafka_refuses_are_told_in_one_sentence(logs: LaneLogs) -> None:
    with pytest.raises(BadSetting, match="No such configuration property") as raised:
        logs.open(client={"sasl.passwort": "hush"})
    assert "hush" not in str(raised.value)


def test_nobody_there_is_unreachable_and_names_the_address(topic_prefix: str) -> None:
    logs = LaneLogs("127.0.0.1:1", topic_prefix)
    log = logs.open(Deadlines(request_s=1, fence_s=1))
    for call in (log.fence, log.committed, lambda: log.watch(logs.topics.signups)):
        with pytest.raises(Unreachable, match=r"Kafka at 127\.0\.0\.1:1 did not .*Connection refused"):
            call()
    log.close()


def test_closing_ends_the_wait_for_a_broker(topic_prefix: str) -> None:
    logs = LaneLogs("127.0.0.1:1", topic_prefix)
    log = logs.open(QUICK, closing=lambda: True)
    with pytest.raises(LaneClosing):
        log.fence()
