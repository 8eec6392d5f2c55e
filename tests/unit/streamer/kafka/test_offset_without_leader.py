"""An offset that Kafka does not return at once."""

from __future__ import annotations

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import OffsetSpec

from streamer.kafka.kafka_admin import Admin


class NoLeaderAtFirst:
    """A client that says that no partition has a leader, until it has asked for all topics."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    def poll(self, _timeout_s: float) -> None: ...

    def list_topics(self, *topics: str, timeout: float) -> None:
        self.asked.append(topics)

    def list_offsets(self, wanted: dict[Any, Any], **_options: object) -> dict[Any, Future[Any]]:
        answer: Future[Any] = Future()
        if self.asked:
            answer.set_result(SimpleNamespace(offset=7))
        else:
            answer.set_exception(KafkaException(KafkaError(KafkaError._NOENT)))
        return dict.fromkeys(wanted, answer)


def test_a_cached_answer_without_leaders_is_asked_again_and_creates_no_topic(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    admin, client = Admin({"bootstrap.servers": "127.0.0.1:1", "log_level": "0"}, 5), NoLeaderAtFirst()
    monkeypatch.setattr(admin, "kafka", client)

    assert admin.offset("orders", 0, OffsetSpec.latest()) == 7  # type: ignore[no-untyped-call]
    # A client that asks for one topic creates it, where the broker lets it.
    assert client.asked == [()]
