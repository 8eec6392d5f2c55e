"""A lane's log in a real Kafka: what is there, and how it is read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import NewPartitions
from msgspec.structs import replace

from schemas.errors import BadTopics
from segue.services import KafkaService
from streamer.interfaces.lane_errors import InDoubt
from streamer.interfaces.lane_interfaces import Bounds, Committed
from tests.support.servers.services import HANG_S, eventually
from tests.support.workers.lane_logs import LANE, PARTITIONS, QUICK, LaneLogs, out, read_to


@pytest.fixture
def logs(kafka: KafkaService, topic_prefix: str) -> Iterator[LaneLogs]:
    with LaneLogs(kafka.bootstrap, topic_prefix) as logs:
        yield logs


def test_bounds_are_the_brokers_of_now(logs: LaneLogs) -> None:
    signups = logs.topics.signups
    log = logs.open()
    empty = log.watch(signups)
    assert (empty.begin, empty.end) == (0, 0)

    logs.send(signups, b"1", b"2", b"3")
    assert log.watch(signups) == Bounds(0, 3, empty.topic_id)

    (deleted,) = logs.admin.delete_records(
        [TopicPartition(signups, LANE, 2)], request_timeout=HANG_S
    ).values()
    deleted.result(HANG_S)
    assert log.watch(signups) == Bounds(2, 3, empty.topic_id)


def test_bounds_end_beyond_open_transactions(logs: LaneLogs) -> None:
    changes = logs.topics.changes
    other = logs.taken()
    producer = other._writer._producer
    assert producer is not None
    producer.begin_transaction()
    producer.produce(changes, b"open", b"7", partition=LANE)
    producer.flush(HANG_S)

    assert logs.open().watch(changes).end == 1


def test_the_end_is_reached_over_gaps(logs: LaneLogs) -> None:
    users = logs.topics.users
    log = logs.taken()
    for value in (b"1", b"2"):
        log.commit([out(users, value)], {})
    former = logs.taken()
    producer = former._writer._producer
    assert producer is not None
    producer.begin_transaction()
    producer.produce(users, b"aborted", b"7", partition=LANE)
    producer.flush(HANG_S)
    producer.abort_transaction(HANG_S)

    # record, marker, record, marker, aborted record, marker; the last is written after the abort is answered
    end = 6
    eventually(lambda: log.watch(users).end == end)
    log.read_from({users: 0})
    assert not log.at_end({users: end})
    assert [(r.offset, r.value) for r in read_to(log, {users: end})] == [(0, b"1"), (2, b"2")]
    # Only markers lie beyond offset 3.
    log.read_from({users: 3})
    assert not log.at_end({users: end})
    assert read_to(log, {users: end}) == []


def test_reading_anew_forgets_the_ends_reached(logs: LaneLogs) -> None:
    signups, orders = logs.topics.inputs
    logs.send(signups, b"1", b"2")
    logs.send(orders, b"3")
    log = logs.open()
    log.read_from({signups: 0})
    assert [r.value for r in read_to(log, {signups: 2})] == [b"1", b"2"]

    log.read_from({orders: 0})
    assert log.lag().keys() == {orders}

    log.read_from({signups: 1, orders: 0})
    assert not log.at_end({signups: 2, orders: 1})
    again = read_to(log, {signups: 2, orders: 1})
    assert {(r.topic, r.offset) for r in again} == {(signups, 1), (orders, 0)}


def test_poll_takes_no_more_than_it_is_told_and_keeps_the_order(logs: LaneLogs) -> None:
    signups = logs.topics.signups
    logs.send(signups, *(str(n).encode() for n in range(250)))
    log = logs.open()
    log.read_from({signups: 0})

    batches = []
    while not log.at_end({signups: 250}):
        batches.append(log.poll(100, 5))
    assert max(map(len, batches)) <= 100
    assert [r.offset for batch in batches for r in batch] == list(range(250))


def test_poll_of_one_record(logs: LaneLogs) -> None:
    signups = logs.topics.signups
    logs.send(signups, b"1", b"2")
    log = logs.open()
    log.read_from({signups: 0})
    polled = eventually(lambda: log.poll(1, 5))
    assert [r.value for r in polled] == [b"1"]


def test_poll_waits_for_the_first_record_only(logs: LaneLogs) -> None:
    signups = logs.topics.signups
    log = logs.open()
    log.read_from({signups: 0})

    def waits() -> bool:
        began = time.monotonic()
        assert log.poll(100, 0.5) == []
        return time.monotonic() - began >= 0.5

    # Once the end has been told, nothing comes before the time is over.
    eventually(waits)

    logs.send(signups, b"1")
    began = time.monotonic()
    assert [r.value for r in eventually(lambda: log.poll(100, 60))] == [b"1"]
    assert time.monotonic() - began < 50


def test_lag_is_what_lies_ahead(logs: LaneLogs) -> None:
    signups = logs.topics.signups
    logs.send(signups, *(b"x" for _ in range(10)))
    log = logs.open()
    assert log.lag() == {}
    log.read_from({signups: 0})
    while not log.at_end({signups: 4}):
        log.poll(1, 5)
    assert log.lag() == {signups: 6}
    read_to(log, {signups: 10})
    assert log.lag() == {signups: 0}


def test_an_offset_that_the_log_does_not_have_is_a_doubt(logs: LaneLogs) -> None:
    signups = logs.topics.signups
    logs.send(signups, b"1")
    log = logs.open()
    log.read_from({signups: 500})
    with pytest.raises(InDoubt, match="cannot be read at the lane's offset"):
        eventually(lambda: log.poll(10, 1))


def test_a_topic_made_anew_has_another_id_and_is_noticed_while_reading(logs: LaneLogs) -> None:
    signups = logs.topics.signups
    log = logs.taken()
    was = log.watch(signups)
    log.commit([], {signups: 5})
    # Offset 0 is in the old log and in the new one, so the position alone tells nothing.
    log.read_from({signups: 0})
    read_to(log, {signups: 0})

    logs.delete(signups)
    logs.make(signups)

    with pytest.raises(InDoubt, match=f"{signups} (was deleted and made anew|is gone)"):
        eventually(lambda: log.poll(1, 0.1) and None)
    now = log.watch(signups)
    assert now.topic_id != was.topic_id
    # A group's offsets may outlive the topic; their metadata tells then that they are not the new one's.
    assert log.committed().get(signups) in (None, Committed(5, was.topic_id))


def test_offsets_name_the_topic_that_was_read_not_one_made_anew_since(logs: LaneLogs) -> None:
    signups = logs.topics.signups
    log = logs.taken()
    was = log.watch(signups).topic_id
    logs.delete(signups)
    logs.make(signups)
    log.commit([], {signups: 5})
    assert log.committed()[signups] == Committed(5, was)


def test_a_topic_that_is_gone_is_a_doubt_and_then_an_error(logs: LaneLogs) -> None:
    signups = logs.topics.signups
    log = logs.taken()
    log.read_from({signups: 0})
    logs.delete(signups)
    with pytest.raises(InDoubt, match="is gone"):
        eventually(lambda: log.poll(1, 0.1) and None)
    with pytest.raises(BadTopics, match=f"topic {signups} does not exist"):
        log.watch(signups)


def test_more_partitions_than_before_are_an_error(logs: LaneLogs) -> None:
    signups = logs.topics.signups
    log = logs.taken()
    log.read_from({signups: 0})
    for grown in logs.admin.create_partitions(
        [NewPartitions(signups, PARTITIONS + 2)], request_timeout=HANG_S
    ).values():
        grown.result(HANG_S)

    with pytest.raises(BadTopics, match=f"{signups} had 3 partitions and now has 5"):
        eventually(lambda: log.poll(1, 0.1) and None)
    with pytest.raises(BadTopics, match="had 3 partitions and now has 5"):
        log.watch(signups)


def test_a_lane_beyond_the_topics_partitions_is_an_error(logs: LaneLogs) -> None:
    with pytest.raises(BadTopics, match="has 3 partitions, so lane 3 has none there"):
        logs.open(partition=3).watch(logs.topics.signups)


def test_a_consumer_that_stopped_to_fetch_is_made_anew(logs: LaneLogs) -> None:
    """As librdkafka's does now and then after a broker was away; a pause looks the same from outside."""
    signups, orders = logs.topics.sources
    log = logs.taken(replace(QUICK, silence_s=0.5))
    log.read_from({signups: 0, orders: 0})
    stuck = log._reader._consumer
    stuck.pause([TopicPartition(signups, LANE)])
    log._reader._consumer = cast("Any", Deaf(stuck))
    logs.send(signups, b"1", b"2")
    values: list[bytes | None] = []

    def both() -> bool:
        logs.send(orders, b"another")  # the other topic is never silent
        values.extend(record.value for record in log.poll(10, 0.2) if record.topic == signups)
        return len(values) == 2

    eventually(both, "the records")

    assert values == [b"1", b"2"]
    assert isinstance(log._reader._consumer, Consumer)
    assert log._reader._consumer is not stuck


class Deaf:
    """A consumer that knows no leader, so it cannot ask for an end."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._consumer, name)

    def get_watermark_offsets(self, *_: Any, **__: Any) -> None:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))


def test_a_reader_of_a_quiet_topic_keeps_its_consumer(logs: LaneLogs) -> None:
    signups = logs.topics.signups
    logs.send(signups, b"1")
    log = logs.taken(replace(QUICK, silence_s=0.2))
    asked: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log._reader, "_end_of", noted(log._reader._end_of, asked))
        log.read_from({signups: 0})
        consumer = log._reader._consumer
        eventually(lambda: log.poll(10, 0.1), "the record")
        eventually(lambda: (log.poll(10, 0.1), len(asked) > 2)[1], "three looks at the end")
    assert log._reader._consumer is consumer


def noted(end_of: Callable[[str, int], int], ends: list[int]) -> Callable[[str, int], int]:
    def note(topic: str, partition: int) -> int:
        ends.append(end_of(topic, partition))
        return ends[-1]

    return note
