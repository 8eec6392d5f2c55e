"""The offsets from which the log continues a bootstrap, and checks that group and log allow a bootstrap."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import datetime, timedelta

from confluent_kafka import Consumer, IsolationLevel, KafkaError, TopicPartition

# `confluent_kafka.__all__` lacks some public names.
from confluent_kafka.admin import OffsetSpec

from schemas import times
from schemas.errors import BadTopics
from segue.config.settings import Settings
from segue.connect.group_members import members_of
from segue.connect.kafka_access import DEADLINE_S, patiently, wait_for_kafka
from streamer.kafka.kafka_admin import Admin
from streamer.kafka.kafka_client import Reports, make_client, unreachable
from streamer.refill.bootstrap_lanes import NotFresh

_POLL_S = 0.2

Start = dict[int, dict[str, int]]
"""By lane and input topic: the offset of the first record to read after the bootstrap."""


def check_unused_group(settings: Settings) -> None:
    """Check that the group has no members. The lanes check later that the group has no committed offsets.

    Raises:
        NotFresh: the group has members.
        Unreachable: Kafka does not answer.
    """
    members = patiently(settings, lambda: members_of(settings.kafka_client, settings.group, DEADLINE_S))
    if members:
        workers, them = ("a worker", "it") if members == 1 else (f"{members} workers", "them")
        raise NotFresh(f"the group {settings.group} has {workers}: stop {them}, or set another group")


def offsets_at(settings: Settings, partitions: int, as_of: datetime, margin: timedelta) -> Start:
    """Find where each lane continues: at the first record of each input not older than ``as_of - margin``.

    If all records of a partition are older, the lane continues at the partition's end.

    Args:
        settings: Kafka, the topics and the group.
        partitions: how many partitions each input has.
        as_of: the time of the warehouse's snapshot.
        margin: how long before ``as_of`` the log is read again.

    Raises:
        BadTopics: a partition lost events, perhaps also events after ``as_of``. The warehouse's snapshot does
            not hold these.
        Unreachable: Kafka does not answer.
    """
    inputs = settings.topics.inputs
    kafka = KafkaOffsets(settings)
    for partition in range(partitions):
        for topic in inputs:
            _check_reaches_back(kafka, topic, partition, as_of)
    since = as_of - margin
    return {
        partition: {topic: kafka.offset_at(topic, partition, since) for topic in inputs}
        for partition in range(partitions)
    }


def _check_reaches_back(kafka: KafkaOffsets, topic: str, partition: int, as_of: datetime) -> None:
    """Check that a partition lost no event after ``as_of``.

    A partition that begins at offset 0 lost nothing. In any other the time of the first record decides.
    """
    begin = kafka.bounds(topic, partition)[0]
    if begin == 0:
        return
    first_ms = kafka.first_time_ms(topic, partition)
    begins = f"topic {topic} begins in partition {partition} at offset {begin}"
    if first_ms is None:
        raise BadTopics(
            f"{begins}, where no record is left. Events after {times.text(as_of)} may be missing from both"
            " the topic and the warehouse: wait for the partition's next record, and give an --as-of after it"
        )
    if first_ms > _millis(as_of):
        raise BadTopics(
            f"{begins}, {times.text(times.from_millis(first_ms))}, after {times.text(as_of)}. Events in"
            " between may be missing from both the topic and the warehouse: give an --as-of after that record"
        )


class KafkaOffsets:
    """Reads offsets and record times from Kafka; waits while Kafka does not answer."""

    def __init__(self, settings: Settings) -> None:
        self._wait = wait_for_kafka(settings)
        self._client = settings.kafka_client
        self._admin = Admin(self._client, DEADLINE_S)
        self._group = f"{settings.group}-bootstrap"  # librdkafka requires a group; nothing is committed

    def first_time_ms(self, topic: str, partition: int) -> int | None:
        """Return the partition's first record time, in milliseconds since 1970; None if it is empty."""
        begin, end = self.bounds(topic, partition)
        if begin == end:
            return None
        return self._wait.until_answered(lambda: self._time_of_first(topic, partition, begin))

    def _time_of_first(self, topic: str, partition: int, begin: int) -> int | None:
        reports = Reports()
        config = {
            **self._client,
            "group.id": self._group,
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
        with closing(make_client(Consumer, config, reports)) as consumer:
            consumer.assign([TopicPartition(topic, partition, begin)])
            end_s = time.monotonic() + DEADLINE_S
            while time.monotonic() < end_s:
                message = consumer.poll(_POLL_S)
                if message is None:
                    continue
                error = message.error()
                if error is None:
                    return int(message.timestamp()[1])
                if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - only aborted records
                    return None
        raise unreachable(self._client, f"give the first record of {topic}", reports)

    def offset_at(self, topic: str, partition: int, at: datetime) -> int:
        """Return the first offset of a record not older than ``at``; the end if all are older."""
        found = self._offset(topic, partition, OffsetSpec.for_timestamp(_millis(at)))
        return found if found >= 0 else self.bounds(topic, partition)[1]

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """Return the partition's first offset and its end."""
        begin, end = (
            self._offset(topic, partition, spec)
            for spec in (OffsetSpec.earliest(), OffsetSpec.latest())  # type: ignore[no-untyped-call]
        )
        return begin, end

    def _offset(self, topic: str, partition: int, spec: OffsetSpec) -> int:
        """Return the offset that a `read_committed` reader sees."""
        return self._wait.until_answered(
            lambda: self._admin.offset(topic, partition, spec, IsolationLevel.READ_COMMITTED)
        )


def _millis(at: datetime) -> int:
    # Kafka takes a negative number for one of its own signs; no record is older than 1970.
    return max(0, int(at.timestamp() * 1000))
