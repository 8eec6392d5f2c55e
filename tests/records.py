"""Topics as a reader of committed records sees them, each to its end."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import closing

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from tests.services import HANG_S, eventually


def read_topic(
    bootstrap: str,
    topic: str,
    partitions: Iterable[int] | None = None,
    *,
    isolation: str = "read_committed",
) -> list[Message]:
    """Every record of a topic, or of some of its partitions, by partition and offset."""
    messages = each_record(bootstrap, topic, partitions, isolation=isolation)
    return sorted(messages, key=lambda message: (message.partition(), message.offset()))


def each_record(
    bootstrap: str,
    topic: str,
    partitions: Iterable[int] | None = None,
    *,
    isolation: str = "read_committed",
) -> Iterator[Message]:
    """The records of a topic as they come; they end where the partitions ended at the call.

    A commit returns before all of its partitions have the transaction's marker, and until then a reader of committed
    records comes to an end in front of it. So the end is the high watermark, which counts those records.

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
                error = message.error()
                if error is None:
                    yield message
                elif error.code() != KafkaError._PARTITION_EOF:
                    raise AssertionError(error)
                elif message.offset() >= left.get(message.partition(), 0):
                    left.pop(message.partition(), None)
            assert time.monotonic() < silent_s, f"{topic} does not come to the ends {left}"


def _ends(bootstrap: str, topic: str, partitions: Iterable[int]) -> dict[int, int]:
    """The high watermarks, asked for until a broker says them: one that has only just begun does not."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    asked = {TopicPartition(topic, partition): OffsetSpec.latest() for partition in partitions}

    def answered() -> dict[int, int]:
        try:
            answers = admin.list_offsets(asked, isolation_level=IsolationLevel.READ_UNCOMMITTED)
            return {place.partition: answer.result(HANG_S).offset for place, answer in answers.items()}
        except KafkaException as error:
            raise AssertionError(str(error)) from error

    return eventually(answered, f"the ends of {topic}")
