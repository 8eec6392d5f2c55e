"""Where the log continues a bootstrap's snapshot, and whether group and log allow one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas import times
from schemas.errors import BadTopics
from segue.groups import members_of
from segue.kafka import DEADLINE_S
from segue.settings import Settings
from streamer.bootstrap import NotFresh
from streamer.kafka_client import Reports, error_of, make_client, unreachable, why

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
        BadTopics: an input begins after ``as_of``: what came between would be in neither.
        Unreachable: Kafka does not answer.
    """
    inputs = settings.topics.inputs
    with _reader(settings) as ask:
        for topic in inputs:
            first_ms = [ask.first_time_ms(topic, partition) for partition in range(partitions)]
            begins_ms = min((at for at in first_ms if at is not None), default=None)
            if begins_ms is not None and begins_ms > _millis(as_of):
                raise BadTopics(
                    f"topic {topic} begins at {times.text(times.from_millis(begins_ms))}, after"
                    f" {times.text(as_of)}, so events in between may be in neither topic nor warehouse: give an"
                    " --as-of after the topic's beginning, or bootstrap before the first events come"
                )
        from_ms = _millis(as_of - margin)
        return {
            partition: {topic: ask.offset_at(topic, partition, from_ms) for topic in inputs}
            for partition in range(partitions)
        }


@contextmanager
def _reader(settings: Settings) -> Iterator[_Asked]:
    asked = _Asked(settings)
    try:
        yield asked
    except KafkaException as error:
        reason = why(error_of(error), asked.reports)
        raise unreachable(settings.kafka_client, "tell the offsets of the inputs", reason) from None
    finally:
        asked.consumer.close()


class _Asked:
    """A consumer that looks at offsets and times."""

    def __init__(self, settings: Settings) -> None:
        self.reports = Reports()
        config = {
            **settings.kafka_client,
            "group.id": f"{settings.group}-bootstrap",  # asked for by librdkafka; nothing is committed
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
        self.consumer = make_client(Consumer, config, self.reports)

    def first_time_ms(self, topic: str, partition: int) -> int | None:
        """When the partition's first record was written; None where there is none."""
        where = TopicPartition(topic, partition)
        begin, end = self.consumer.get_watermark_offsets(where, timeout=DEADLINE_S)
        if begin == end:
            return None
        self.consumer.assign([TopicPartition(topic, partition, begin)])
        message = self.consumer.poll(DEADLINE_S)
        if message is None or message.error() is not None:
            return None
        return int(message.timestamp()[1])

    def offset_at(self, topic: str, partition: int, at_ms: int) -> int:
        """The first offset of a record not older; the partition's end where all are."""
        (found,) = self.consumer.offsets_for_times([TopicPartition(topic, partition, at_ms)], DEADLINE_S)
        if found.offset >= 0:
            return int(found.offset)
        _begin, end = self.consumer.get_watermark_offsets(
            TopicPartition(topic, partition), timeout=DEADLINE_S
        )
        return int(end)


def _millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)
