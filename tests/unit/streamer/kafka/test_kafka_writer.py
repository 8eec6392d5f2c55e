"""What a lane's producer does where librdkafka does not."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from streamer.interfaces.lane_errors import InDoubt
from streamer.kafka.kafka_client import Deadlines
from streamer.kafka.kafka_writer import Writer

DEADLINES = Deadlines(request_s=0.2, commit_s=0.5, abort_s=0.1)


class Hung:
    """A producer that never answers on the offsets, and says so to whoever calls meanwhile."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.calls: list[str] = []

    def begin_transaction(self) -> None:
        self.calls.append("begin")

    def send_offsets_to_transaction(self, *_: object) -> None:
        self.calls.append("offsets")
        self.let_go.wait()

    def abort_transaction(self, _timeout_s: float) -> None:
        self.calls.append("abort")
        raise KafkaException(KafkaError(KafkaError._CONFLICT))

    def purge(self) -> None:
        self.calls.append("purge")

    def flush(self, _timeout_s: float) -> None:
        self.calls.append("flush")


@pytest.fixture
def hung() -> Iterator[Hung]:
    producer = Hung()
    yield producer
    producer.let_go.set()


def test_a_call_that_never_returns_is_left_behind_and_the_transaction_in_doubt(hung: Hung) -> None:
    writer = Writer("g-0", {"bootstrap.servers": "k:1"}, "murmur2", DEADLINES, lambda: False)
    writer._producer = cast(Any, hung)
    began = time.monotonic()
    with pytest.raises(InDoubt, match="no answer on the offsets from Kafka at k:1"):
        writer.commit([], [TopicPartition("t", 0, 1)], None)
    assert time.monotonic() - began < 10
    assert hung.calls == ["begin", "offsets", "abort", "purge", "flush"]
    with pytest.raises(InDoubt, match="was given up"):
        writer.commit([], [], None)
