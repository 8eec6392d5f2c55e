"""The committed offsets, from a coordinator that has only just started; and a consumer that is stuck."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition
from structlog.testing import capture_logs

from streamer.interfaces.lane_interfaces import Committed
from streamer.kafka import kafka_reader
from streamer.kafka.kafka_client import Deadlines
from streamer.kafka.kafka_reader import Reader
from streamer.kafka.silent_partitions import SilentPartitions

NOT_YET = KafkaError(KafkaError.NOT_COORDINATOR, "Not coordinator")
END_REACHED = KafkaError(KafkaError._PARTITION_EOF)


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


class Broker:
    """Kafka with two topics: orders are never silent, and of the signups none comes though five are there."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.clients: list[FakeConsumer] = []
        self.asked: list[int] = []
        self.deaf: set[int] = set()
        self.signups_end_reached = False

    def client(self, *_: object) -> FakeConsumer:
        self.clients.append(FakeConsumer(self, len(self.clients)))
        return self.clients[-1]

    def reader(self) -> Reader:
        reader = Reader(2, "group", {}, Deadlines(silence_s=30))
        reader.read_from({"signups": 3, "orders": 0})
        return reader


class FakeConsumer:
    """One of the clients, by its number."""

    def __init__(self, broker: Broker, number: int) -> None:
        self.broker, self.number = broker, number
        self.assigned: dict[str, int] = {}

    def list_topics(self, *_: object) -> None: ...

    def close(self) -> None: ...

    def assign(self, places: list[TopicPartition]) -> None:
        self.assigned = {at.topic: at.offset for at in places}

    def poll(self, _timeout_s: float) -> object:
        return message("orders", int(self.broker.now_s))

    def consume(self, _most: int, _timeout_s: float) -> list[object]:
        return [message("signups", 3, END_REACHED)] if self.broker.signups_end_reached else []

    def get_watermark_offsets(self, at: TopicPartition, *_: object, cached: bool) -> tuple[int, int]:
        assert (at.topic, at.partition, cached) == ("signups", 2, False)
        self.broker.asked.append(self.number)
        if self.number in self.broker.deaf:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return 0, 5


def message(topic: str, offset: int, error: KafkaError | None = None) -> object:
    values = {"topic": topic, "offset": offset, "error": error, "key": b"", "value": b"", "headers": None}
    return SimpleNamespace(
        **{name: lambda value=value: value for name, value in values.items()}, timestamp=lambda: (1, 0)
    )


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    broker = Broker()
    monkeypatch.setattr(kafka_reader, "make_client", broker.client)
    timed = partial(SilentPartitions, monotonic=lambda: broker.now_s)
    monkeypatch.setattr(kafka_reader, "SilentPartitions", timed)
    return broker


def test_a_stuck_topic_is_found_beside_one_that_is_never_silent_by_a_lane_that_never_waits(
    broker: Broker,
) -> None:
    broker.deaf = {0}  # the stuck consumer does not know the leader
    reader = broker.reader()
    with capture_logs() as logged:
        while len(broker.clients) < 3 and broker.now_s < 100:
            reader.poll(10, 1.0)
            broker.now_s += 1
    assert broker.asked == [0, 1]
    # It is asked after 30 s; a second later, the consumer is made anew after the last order, which is 31.
    assert broker.clients[2].assigned == {"signups": 3, "orders": 32}
    assert logged == [
        {
            "event": "reader was stuck",
            "log_level": "warning",
            "topic": "signups",
            "partition": 2,
            "offset": 3,
        }
    ]


def test_a_stuck_topic_has_more_patience_until_the_lane_is_taken_over_again(broker: Broker) -> None:
    reader = broker.reader()
    found = []
    for second in range(200):
        clients = len(broker.clients)
        reader.poll(10, 1.0)
        if len(broker.clients) > clients:
            found.append(second)
        if second == 99:
            reader.read_from({"signups": 3, "orders": 100})
        broker.now_s += 1
    assert found == [31, 31 + 61, 99 + 31, 99 + 31 + 61]


def test_a_topic_whose_end_is_reached_is_heard(broker: Broker) -> None:
    reader = broker.reader()
    broker.signups_end_reached = True
    for _ in range(100):
        reader.poll(10, 1.0)
        broker.now_s += 1
    assert broker.asked == []


def test_a_reader_keeps_its_consumer_if_no_client_answers(broker: Broker) -> None:
    reader = broker.reader()
    broker.deaf = {0, 1, 2, 3}
    for _ in range(100):
        reader.poll(10, 1.0)
        broker.now_s += 1
    assert broker.asked == [0, 1, 0, 2, 0, 3]
    assert [client.assigned != {} for client in broker.clients] == [True, False, False, False]
