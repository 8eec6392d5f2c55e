"""Read topics to their ends, by default only committed records."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Protocol, cast

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from tests.support.servers.services import HANG_S, eventually

# Where a broker was paused, one request may wait for its answer in vain, while a new one is answered at once.
_REQUEST_S = 30


class KafkaRecord(Protocol):
    """A record read by confluent-kafka: it has a topic, partition and offset, and headers in a list."""

    def topic(self) -> str: ...

    def partition(self) -> int: ...

    def offset(self) -> int: ...

    def key(self) -> bytes | None: ...

    def value(self) -> bytes | None: ...

    def headers(self) -> list[tuple[str, bytes]] | None: ...

    def timestamp(self) -> tuple[int, int]: ...


def value_of(record: KafkaRecord) -> bytes:
    """Return the value of a record; a tombstone fails."""
    value = record.value()
    assert value is not None, f"{record.topic()}/{record.partition()}/{record.offset()} has no value"
    return value


def key_of(record: KafkaRecord) -> str:
    """Return the key of a record as text; a record without a key fails."""
    key = record.key()
    assert key is not None, f"{record.topic()}/{record.partition()}/{record.offset()} has no key"
    return key.decode()


def headers_of(record: KafkaRecord) -> dict[str, bytes]:
    """Return the headers by name."""
    return dict(record.headers() or [])


def read_topic(
    bootstrap: str,
    topic: str,
    partitions: Iterable[int] | None = None,
    *,
    isolation: str = "read_committed",
) -> list[KafkaRecord]:
    """Return every record of a topic, or of some of its partitions, by partition and offset."""
    messages = each_record(bootstrap, topic, partitions, isolation=isolation)
    return sorted(messages, key=lambda message: (message.partition(), message.offset()))


def each_record(
    bootstrap: str,
    topic: str,
    partitions: Iterable[int] | None = None,
    *,
    isolation: str = "read_committed",
) -> Iterator[KafkaRecord]:
    """Yield the records of a topic as they come, up to the ends that the partitions have at the call.

    A commit returns before all of its partitions have the transaction marker. Until then, the last stable
    offset is before the committed records. So the end is the high watermark, which includes them.

    Raises:
        AssertionError: Kafka reported an error, or an end was not reached.
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
        # Ask for the topic's leaders first: otherwise librdkafka looks for them twice, half a second apart.
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
    """Return the high watermarks; retry while a broker that has just started does not answer."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    newest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # confluent-kafka does not annotate it
    asked = {TopicPartition(topic, partition): newest for partition in partitions}

    def answered() -> dict[int, int]:
        try:
            # A client that asked while the broker had no leader would keep that answer for minutes.
            admin.list_topics(topic, _REQUEST_S)
            answers = admin.list_offsets(
                asked, isolation_level=IsolationLevel.READ_UNCOMMITTED, request_timeout=_REQUEST_S
            )
            return {place.partition: answer.result(HANG_S).offset for place, answer in answers.items()}
        except KafkaException as error:
            raise AssertionError(str(error)) from error

    return eventually(answered, f"the ends of {topic}")
