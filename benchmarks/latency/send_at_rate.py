"""The load: an open loop sends each event at its time, whether or not the events before it are answered."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from confluent_kafka import Producer

from benchmarks.stage.bench_servers import Servers
from benchmarks.stage.shop_events import Line
from schemas.errors import SegueError
from schemas.partitioner import librdkafka_name
from schemas.topics import Topics

_DEADLINE_S = 60.0


@dataclass(frozen=True, slots=True)
class Load:
    """What was sent. Times are seconds of the monotonic clock.

    Attributes:
        due_s: when each event was due; latencies count from here, so a late load hides no waiting.
        late_s: how late each event was sent.
    """

    due_s: Sequence[float]
    late_s: Sequence[float]


def send_at_rate(servers: Servers, lines: Sequence[Line], topics: Topics, rate: float) -> Load:
    """Send the events, ``rate`` a second.

    Raises:
        SegueError: Kafka did not take them all.
    """
    producer = Producer(
        {**servers.client, "partitioner": librdkafka_name("murmur2"), "linger.ms": 0, "acks": "all"}
    )
    producer.list_topics(topics.orders, _DEADLINE_S)
    began_s = time.monotonic() + 0.1
    due_s = [began_s + number / rate for number in range(len(lines))]
    late_s = []
    for line, due in zip(lines, due_s, strict=True):
        while (left := due - time.monotonic()) > 0:
            time.sleep(left)
        late_s.append(time.monotonic() - due)
        producer.produce(topics.orders if line.is_order else topics.signups, line.value, line.key)
        producer.poll(0)
    if producer.flush(_DEADLINE_S):
        raise SegueError("Kafka did not take all events of the load")
    return Load(due_s, late_s)
