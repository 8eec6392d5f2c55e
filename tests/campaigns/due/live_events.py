"""Live events in an open loop: each is sent at its time, however long the events before it take."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from types import TracebackType
from typing import Self

from confluent_kafka import Consumer, Producer, TopicPartition

from schemas.input_events import Order
from schemas.inputs.decode import encode_order
from schemas.partitioner import librdkafka_name
from tests.support.servers.deployment import Deployment
from tests.support.servers.services import HANG_S, end_of


class LiveEvents:
    """Orders of new users at a steady rate. Each makes a change, which a read_committed reader waits for.

    Attributes:
        waits_s: the seconds from an event's time to its change, in the order of the changes.
    """

    def __init__(self, deployment: Deployment, rate: float, order_of: Callable[[str], Order]) -> None:
        self._deployment = deployment
        self._rate = rate
        self._order_of = order_of
        self._sent_s: dict[bytes, float] = {}
        self.waits_s: list[float] = []
        self._ends = threading.Event()
        self._threads = [threading.Thread(target=self._send), threading.Thread(target=self._read)]

    def __enter__(self) -> Self:
        for thread in reversed(self._threads):
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.set()
        for thread in self._threads:
            thread.join(HANG_S)

    def _send(self) -> None:
        producer = Producer(
            {
                "bootstrap.servers": self._deployment.bootstrap,
                "partitioner": librdkafka_name("murmur2"),
                "linger.ms": 0,
            }
        )
        began_s, number = time.perf_counter(), 0
        while not self._ends.is_set():
            due_s = began_s + number / self._rate
            time.sleep(max(0.0, due_s - time.perf_counter()))
            key, value = encode_order(self._order_of(f"live {number}"))
            assert key is not None
            self._sent_s[key] = due_s
            producer.produce(self._deployment.topics.orders, value, key)
            producer.poll(0)
            number += 1
        producer.flush(HANG_S)

    def _read(self) -> None:
        topic = self._deployment.topics.changes
        config = {
            "bootstrap.servers": self._deployment.bootstrap,
            "group.id": "live events",
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": 5,
            "enable.auto.commit": False,
        }
        with closing(Consumer(config)) as consumer:
            lanes = self._deployment.lanes
            consumer.assign([TopicPartition(topic, lane, end_of(consumer, topic, lane)) for lane in lanes])
            while not self._ends.is_set():
                for record in consumer.consume(500, 0.1):
                    key = record.key()
                    sent_s = None if key is None else self._sent_s.pop(bytes(key), None)
                    if sent_s is not None:
                        self.waits_s.append(time.perf_counter() - sent_s)
