"""The faults of Kafka; each fault repairs its damage before it returns."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random

from segue.services import LocalKafka

SESSION_S = 6.0  # tests/support/servers/deployment.py sets it


class KafkaFaults:
    """The faults of the only broker.

    Attributes:
        kinds: how to inflict each fault, and its weight.
    """

    def __init__(self, kafka: LocalKafka, random: Random) -> None:
        self.kafka = kafka
        self._random = random
        self.kinds: dict[str, tuple[Callable[[], None], int]] = {
            "kill -9 of Kafka": (self._kill_kafka, 2),
            "SIGSTOP of Kafka": (self._pause_kafka, 2),
        }

    def _kill_kafka(self) -> None:
        self.kafka.kill()
        time.sleep(self._random.uniform(0, 3))
        self.kafka.start()

    def _pause_kafka(self) -> None:
        self.kafka.pause()
        time.sleep(self._random.uniform(0.5, 2 * SESSION_S))
        self.kafka.resume()
