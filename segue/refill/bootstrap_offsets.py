"""Where the log continues a bootstrap's snapshot, and whether group and log allow one."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import datetime, timedelta

from confluent_kafka import Consumer, IsolationLevel, KafkaError, TopicPartition

# Some of its public names are missing from its __all__.
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
"""By lane and input topic, the offset to go on from."""


def check_unused_group(settings: Settings) -> None:
    """A bootstrap starts a group; its lanes see for themselves that nothing is committed.

    Raises:
        NotFresh: the group has members.
        Unreachable: Kafka does not answer.
    """
    members = patiently(settings, lambda: members_of(settings.kafka_client, settings.group, DEADLINE_S))
    if members:
        workers = "a worker" if members == 1 else f"{members} workers"
        raise NotFresh(f"the group {settings.group} has {workers}: stop them, or set another group")


def offsets_at(settings: Settings, partitions: int, as_of: datetime, margin: timedelta) -> Start:
    """For each lane the first offsets of records not older than ``as_of`` less ``margin``; else the ends.

    Raises:
        BadTopics: a partition lost events, and maybe some after ``as_of``, which would be in neither.
        Unreachable: Kafka does not answer.
    """
    inputs = settings.topics.inputs
    ask = Asked(settings)
    for partition in range(partitions):
        for topic in inputs:
            _check_reaches_back(ask, topic, partition, as_of)
    since = as_of - margin
    return {
        partition: {topic: ask.offset_at(topic, partition, since) for topic in inputs}
        for partition in range(partitions)
    }


def _check_reaches_back(ask: Asked, topic: str, partition: int, as_of: datetime) -> None:
    """A partition that begins at offset 0 has all that ever came; of another, what came first tells."""
    begin = ask.bounds(topic, partition)[0]
    if begin == 0:
        return
    first_ms = ask.first_time_ms(topic, partition)
    begins = f"topic {topic} begins in partition {partition} at offset {begin}"
    if first_ms is None:
        raise BadTopics(
            f"{begins}, where no record is left, so events after {times.text(as_of)} may be in neither topic nor"
            " warehouse: wait for the partition's next record, and give an --as-of after it"
        )
    if first_ms > _millis(as_of):
        raise BadTopics(
            f"{begins}, {times.text(times.from_millis(first_ms))}, after {times.text(as_of)}, so events in"
            " between may be in neither topic nor warehouse: give an --as-of after that record"
        )


class Asked:
    """Looks at offsets and times; a Kafka that does not answer is waited for."""

    def __init__(self, settings: Settings) -> None:
        self._wait = wait_for_kafka(settings)
        self._client = settings.kafka_client
        self._admin = Admin(self._client, DEADLINE_S)
        self._group = f"{settings.group}-bootstrap"  # asked for by librdkafka; nothing is committed

    def first_time_ms(self, topic: str, partition: int) -> int | None:
        """When the partition's first record was written; None where there is none."""
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
                if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - nothing but aborted records
                    return None
        raise unreachable(self._client, f"give the first record of {topic}", reports)

    def offset_at(self, topic: str, partition: int, at: datetime) -> int:
        """The first offset of a record not older; the partition's end where all are."""
        found = self._offset(topic, partition, OffsetSpec.for_timestamp(_millis(at)))
        return found if found >= 0 else self.bounds(topic, partition)[1]

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """The partition's first offset and its end."""
        begin, end = (
            self._offset(topic, partition, spec)
            for spec in (OffsetSpec.earliest(), OffsetSpec.latest())  # type: ignore[no-untyped-call]
        )
        return begin, end

    def _offset(self, topic: str, partition: int, spec: OffsetSpec) -> int:
        """As a committed reader has it."""
        return self._wait.until_answered(
            lambda: self._admin.offset(topic, partition, spec, IsolationLevel.READ_COMMITTED)
        )


def _millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)
