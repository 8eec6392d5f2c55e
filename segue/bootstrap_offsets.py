"""Where the log continues a bootstrap's snapshot, and whether group and log allow one."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from typing import TypeVar

from confluent_kafka import Consumer, KafkaError, TopicPartition

from schemas import times
from schemas.errors import BadTopics
from segue.asking import answered
from segue.groups import members_of
from segue.kafka import DEADLINE_S
from segue.settings import Settings
from streamer.bootstrap import NotFresh
from streamer.kafka_client import Reports, make_client, unreachable

_Answer = TypeVar("_Answer")

_POLL_S = 0.2

Start = dict[int, dict[str, int]]
"""By lane and input topic, the offset to go on from."""


def check_unused_group(settings: Settings) -> None:
    """A bootstrap starts a group; its lanes see for themselves that nothing is committed.

    Raises:
        NotFresh: the group has members.
        Unreachable: Kafka does not answer.
    """
    members = members_of(settings.kafka_client, settings.group, DEADLINE_S)
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
    with closing(Asked(settings)) as ask:
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
    """A consumer that looks at offsets and times."""

    def __init__(self, settings: Settings) -> None:
        self._client = settings.kafka_client
        self._reports = Reports()
        config = {
            **settings.kafka_client,
            "group.id": f"{settings.group}-bootstrap",  # asked for by librdkafka; nothing is committed
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
        self._consumer = make_client(Consumer, config, self._reports)

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()

    def first_time_ms(self, topic: str, partition: int) -> int | None:
        """When the partition's first record was written; None where there is none."""
        begin, end = self.bounds(topic, partition)
        if begin == end:
            return None
        self._consumer.assign([TopicPartition(topic, partition, begin)])
        end_s = time.monotonic() + DEADLINE_S
        while time.monotonic() < end_s:
            message = self._consumer.poll(_POLL_S)
            if message is None:
                continue
            error = message.error()
            if error is None:
                return int(message.timestamp()[1])
            if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - nothing but aborted records
                return None
        raise unreachable(self._client, f"give the first record of {topic}", self._reports.last)

    def offset_at(self, topic: str, partition: int, at: datetime) -> int:
        """The first offset of a record not older; the partition's end where all are."""
        where = TopicPartition(topic, partition, _millis(at))
        (found,) = self._answered(lambda: self._consumer.offsets_for_times([where], DEADLINE_S), topic)
        if found.error is not None:
            raise unreachable(self._client, f"tell the offsets of topic {topic}", found.error.str())
        return int(found.offset) if found.offset >= 0 else self.bounds(topic, partition)[1]

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """The partition's first offset and its end."""
        where = TopicPartition(topic, partition)
        begin, end = self._answered(
            lambda: self._consumer.get_watermark_offsets(where, timeout=DEADLINE_S), topic
        )
        return int(begin), int(end)

    def _answered(self, question: Callable[[], _Answer], topic: str) -> _Answer:
        task = f"tell the offsets of topic {topic}"
        return answered(question, self._client, self._reports, task=task, deadline_s=DEADLINE_S)


def _millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)
