"""A backlog in an open transaction: a reader with ``read_committed`` sees it at the commit and not before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from confluent_kafka import KafkaError, Message, Producer

from benchmarks.stage.bench_servers import Servers
from benchmarks.stage.shop_events import Line
from schemas.errors import SegueError
from schemas.partitioner import librdkafka_name
from schemas.topics import Topics

_DEADLINE_S = 60.0


@dataclass(slots=True)
class Backlog:
    """Events that wait. ``ends`` has the offset after the last event, by topic and partition."""

    producer: Producer
    ends: dict[tuple[str, int], int] = field(default_factory=dict)
    _failed: KafkaError | None = None

    def commit(self) -> None:
        """Let the readers see the events."""
        self.producer.commit_transaction(_DEADLINE_S)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failed = error
            return
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        assert topic is not None
        assert partition is not None
        assert offset is not None
        self.ends[topic, partition] = offset + 1

    def write(self, lines: Iterable[Line], topics: Topics, *, one_topic: bool) -> None:
        """Write the events into the open transaction.

        Raises:
            SegueError: Kafka did not take them all.
        """
        for line in lines:
            topic = topics.orders if one_topic or line.is_order else topics.signups
            self.producer.produce(topic, line.value, line.key, on_delivery=self._delivered)
            self.producer.poll(0)
        if self.producer.flush(_DEADLINE_S) or self._failed is not None:
            raise SegueError(f"the backlog could not be written: {self._failed or 'Kafka does not answer'}")


def open_backlog(
    servers: Servers, lines: Iterable[Line], topics: Topics, *, one_topic: bool = False
) -> Backlog:
    """Write the events, each to its user's partition, and keep the transaction open.

    Args:
        servers: the servers.
        lines: the events.
        topics: the names of the topics.
        one_topic: write signups to the topic of orders, too.
    """
    producer = Producer(
        {
            **servers.client,
            "transactional.id": f"backlog-{topics.prefix}",
            "transaction.timeout.ms": 600_000,
            "partitioner": librdkafka_name("murmur2"),
            "queue.buffering.max.messages": 1_000_000,
            "linger.ms": 5,
            "log_level": 2,  # every error is raised; a warning at the start or the end confuses
        }
    )
    producer.init_transactions(_DEADLINE_S)
    producer.begin_transaction()
    backlog = Backlog(producer)
    backlog.write(lines, topics, one_topic=one_topic)
    return backlog
