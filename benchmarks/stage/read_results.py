"""The results of a way: the last segment of each user, and how many changes there were."""

from __future__ import annotations

import time
import uuid
from contextlib import closing
from dataclasses import dataclass, field

import msgspec
from confluent_kafka import Consumer, KafkaError, TopicPartition
from msgspec import Struct

from benchmarks.stage.bench_servers import Servers
from schemas.errors import SegueError

_DEADLINE_S, _WAIT_S = 30.0, 0.3
_TRIES = 3
_END = KafkaError._PARTITION_EOF  # noqa: SLF001 - librdkafka's own errors have an underscore


class _Change(Struct):
    user_id: str
    segment: int


_decode = msgspec.json.Decoder(_Change).decode


@dataclass(slots=True)
class Results:
    """The last segment by user, and the count of the changes."""

    segments: dict[str, int] = field(default_factory=dict)
    changes: int = 0


def read_results(servers: Servers, topic: str, partitions: int, results: Results) -> None:
    """Add a topic's committed changes to the results.

    Raises:
        SegueError: Kafka does not answer.
    """
    config = {
        **servers.client,
        "group.id": f"results-{uuid.uuid4().hex}",
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
    }
    for _ in range(_TRIES):
        if (found := _read(config, topic, partitions)) is not None:
            results.segments |= found.segments
            results.changes += found.changes
            return
    raise SegueError(f"the results on topic {topic} could not be read")


def _read(config: dict[str, object], topic: str, partitions: int) -> Results | None:
    """Read to the end of each partition; None if a partition is silent: another consumer may not be."""
    results = Results()
    with closing(Consumer(config)) as consumer:
        consumer.assign([TopicPartition(topic, partition, 0) for partition in range(partitions)])
        left, end_s = partitions, time.monotonic() + _DEADLINE_S
        while left:
            # This waits for so many messages, or until the time is over.
            messages = consumer.consume(10_000, _WAIT_S)
            if messages:
                end_s = time.monotonic() + _DEADLINE_S
            elif time.monotonic() > end_s:
                return None
            for message in messages:
                error, value = message.error(), message.value()
                if error is not None and error.code() == _END:
                    left -= 1
                elif error is None and value is not None:
                    change = _decode(value)
                    results.segments[change.user_id] = change.segment
                    results.changes += 1
    return results
