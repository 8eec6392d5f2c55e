"""The committed offsets, from a group's coordinator that has only just started."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from streamer.interfaces.lane_interfaces import Committed
from streamer.kafka import kafka_reader
from streamer.kafka.kafka_client import Deadlines
from streamer.kafka.kafka_reader import Reader

NOT_YET = KafkaError(KafkaError.NOT_COORDINATOR, "Not coordinator")


def test_a_coordinator_that_still_loads_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """It refuses the whole question, or a topic of it."""
    answers: list[object] = [
        KafkaException(NOT_YET),
        [SimpleNamespace(topic="orders", offset=-1001, metadata=None, error=NOT_YET)],
        [SimpleNamespace(topic="orders", offset=7, metadata="id", error=None)],
    ]

    class Consumer:
        def committed(self, asked: list[TopicPartition], _timeout: float) -> object:
            assert [(at.topic, at.partition) for at in asked] == [("orders", 2)]
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

    monkeypatch.setattr(kafka_reader, "make_client", lambda *_: Consumer())

    found = Reader(2, "group", {}, Deadlines()).committed(["orders"])

    assert found == {"orders": Committed(7, "id")}
