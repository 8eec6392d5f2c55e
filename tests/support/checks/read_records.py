"""Topics as a reader of committed records sees them, each to its end."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Protocol, cast

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from tests.support.servers.services import HANG_S, eventually


class KafkaRecord(Protocol):
    """A record that was read, as confluent-kafka gives it: its place is known, its headers are a list."""

    def topic(self) -> str: ...

    def partition(self) -> int: ...

    def offset(self) -> int: ...

    def key(self) -> bytes | None: ...

    def value(self) -> bytes | None: ...

    def headers(self) -> list[tuple[str, bytes]] | None: ...

    def timestamp(self) -> tuple[int, int]: ...


def value_of(record: KafkaRecord) -> bytes:
    """The value of a record that is no tombstone."""
    value = record.value()
    assert value is not None, f"{record.topic()}/{record.partition()}/{record.offset()} has no value"
    return value


def key_of(record: KafkaRecord) -> str:
    """The key of a record that has one, as text."""
    key = record.key()
    assert key is not None, f"{record.topic()}/{record.partition()}/{record.offset()} has no key"
    return key.decode()


def headers_of(record: KafkaRecord) -> dict[str, bytes]:
    """The headers by name."""
    return dict(record.headers() or [])


def read_topic(
    bootstrap: str,
    topic: str,
    partitions: Iterable[int] | None = None,
    *,
    isolation: str = "read_committed",
) -> list[KafkaRecord]:
    """Every record of a topic, or of some of its partitions, by partition and offset."""
    messages = each_record(bootstrap, topic, partitions, isolation=isolation)
    return sorted(messages, key=lambda message: (message.partition(), message.offset()))


def each_record(
    bootstrap: str,
    topic: str,
    partitions: Iterable[int] | None = None,
    *,
    isolation: str = "read_committed",
) -> Iterator[KafkaRecord]:
    """The records of a topic as they come, up to the ends of the partitions at the call.

    A commit returns before all of its partitions have the transaction marker, and until then a reader of
    committed records ends before these records. So the end is the high watermark, which counts them.

    Raises:
        AssertionError: an error of Kafka's, or an end that is not reached.
    """
    config = {
        "bootstrap.servers": bootstrap,
        "group.id": "records",
        "enable.auto.commit": False,
        "isolation.level": isolation,
        "enable.partition.eof": True,
        "auto.offset.reset": "error",
        "fetch.wait.max.ms": 20,
        "log_level": 0,
    }
    with closing(Consumer(config)) as consumer:
        # Asked for the topic's leaders first, else librdkafka looks for them twice, half a second apart.
        found = consumer.list_topics(topic, HANG_S).topics[topic].partitions
        left = _ends(bootstrap, topic, found if partitions is None else partitions)
        consumer.assign([TopicPartition(topic, partition, 0) for partition in left])
        silent_s = time.monotonic() + HANG_S
        while left:
            for message in consumer.consume(10_000, 0.05):
                silent_s = time.monotonic() + HANG_S
                error, record = message.error(), cast(KafkaRecord, message)
                if error is None:
                    yield record
                elif error.code() != KafkaError._PARTITION_EOF:
                    raise AssertionError(error)
                elif record.offset() >= left.get(record.partition(), 0):
                    left.pop(record.partition(), None)
            assert time.monotonic() < silent_s, f"{topic} does not come to the ends {left}"


def _ends(bootstrap: str, topic: str, partitions: Iterable[int]) -> dict[int, int]:
    """The high watermarks, asked for until a broker says them: one that has only just begun does not."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    newest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # confluent-kafka does not annotate it
    asked = {TopicPartition(topic, partition): newest for partition in partitions}

    def answered() -> dict[int, int]:
        try:
            answers = admin.list_offsets(
                asked, isolation_level=IsolationLevel.READ_UNCOMMITTED, request_timeout=HANG_S
            )
            return {place.partition: answer.result(HANG_S).offset for place, answer in answers.items()}
        except KafkaException as error:
            raise AssertionError(str(error)) from error

    return eventually(answered, f"the ends of {topic}")
