from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import Future
from types import SimpleNamespace
from typing import cast

import pytest
from confluent_kafka import KafkaError, KafkaException
from structlog.testing import capture_logs

from schemas.errors import BadTopics, Unreachable
from streamer.interfaces.lane_errors import InDoubt
from streamer.kafka.kafka_admin import Admin, TopicFacts
from streamer.kafka.kafka_client import Deadlines, Reports
from streamer.kafka.kafka_watch import TopicWatch

UNKNOWN = KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART, "no such topic")
SILENT = KafkaError(KafkaError._TIMED_OUT, "timed out")


class FakeAdmin:
    """Answers when the test says so."""

    def __init__(self) -> None:
        self.reports = Reports()
        self.asked: list[set[str]] = []
        self.open: dict[str, Future[object]] = {}

    def ask(self, names: Collection[str]) -> dict[str, Future[object]]:
        self.asked.append(set(names))
        self.open = {name: Future() for name in names}
        return self.open

    def answer(self, name: str, topic_id: str, partitions: int) -> None:
        self.open[name].set_result(SimpleNamespace(topic_id=topic_id, partitions=[None] * partitions))

    def fail(self, name: str, error: KafkaError) -> None:
        self.open[name].set_exception(KafkaException(error))


class World:
    def __init__(self) -> None:
        self.now = 0.0
        self.admin = FakeAdmin()
        self.watch = TopicWatch(
            cast("Admin", self.admin),
            {"bootstrap.servers": "broker:9092"},
            Deadlines(check_s=5, outage_s=30),
            lambda: self.now,
        )

    def look_at(self, now: float) -> None:
        self.now = now
        self.watch.look()


@pytest.fixture
def world() -> World:
    world = World()
    world.watch.expect("orders", TopicFacts("id-1", 4))
    return world


def test_it_asks_every_check_s_and_never_twice_at_once(world: World) -> None:
    world.look_at(4.9)
    assert world.admin.asked == []
    world.look_at(5)
    world.look_at(60)
    assert world.admin.asked == [{"orders"}]
    world.admin.answer("orders", "id-1", 4)
    world.look_at(61)
    world.look_at(62)
    assert world.admin.asked == [{"orders"}, {"orders"}]


def test_without_a_topic_there_is_nothing_to_ask() -> None:
    world = World()
    world.look_at(100)
    assert world.admin.asked == []
    assert world.watch.topic_id("orders") is None


@pytest.mark.parametrize(
    ("topic_id", "partitions", "error", "told"),
    [
        ("id-2", 4, InDoubt, "topic orders was deleted and made anew"),
        ("id-2", 9, InDoubt, "topic orders was deleted and made anew"),
        ("id-1", 5, BadTopics, "topic orders had 4 partitions and now has 5"),
    ],
)
def test_a_topic_that_is_another_ends_reading(
    world: World, topic_id: str, partitions: int, error: type[Exception], told: str
) -> None:
    world.look_at(5)
    world.admin.answer("orders", topic_id, partitions)
    with pytest.raises(error, match=told):
        world.look_at(6)


def test_a_topic_that_is_gone_ends_reading(world: World) -> None:
    world.look_at(5)
    world.admin.fail("orders", UNKNOWN)
    with pytest.raises(InDoubt, match="topic orders is gone"):
        world.look_at(6)


def test_a_topic_met_again_may_be_new_but_not_larger(world: World) -> None:
    world.watch.expect("orders", TopicFacts("id-2", 9))
    assert world.watch.topic_id("orders") == "id-2"
    with pytest.raises(BadTopics, match="had 9 partitions and now has 10"):
        world.watch.expect("orders", TopicFacts("id-2", 10))


def test_silence_is_told_once_and_ends_reading_after_outage_s(world: World) -> None:
    with capture_logs() as lines:
        for asked_at in (5, 20, 34):
            world.look_at(asked_at)
            world.admin.fail("orders", SILENT)
            world.look_at(asked_at + 0.5)
        # Noticed at 5.5: 30 s have passed at 35.5.
        world.look_at(39)
        world.admin.fail("orders", SILENT)
        with pytest.raises(Unreachable, match=r"Kafka at broker:9092 did not answer for 30 s \(timed out\)"):
            world.look_at(39.5)
    assert [line["event"] for line in lines] == ["kafka does not answer"]


def test_an_answer_ends_the_silence(world: World) -> None:
    with capture_logs() as lines:
        world.look_at(5)
        world.admin.fail("orders", SILENT)
        world.look_at(6)
        world.look_at(20)
        world.admin.answer("orders", "id-1", 4)
        world.look_at(21)
        # Silent again, since 50: not for 30 s yet at 79.
        world.look_at(50)
        world.admin.fail("orders", SILENT)
        world.look_at(51)
        world.look_at(78)
        world.admin.fail("orders", SILENT)
        world.look_at(79)
    assert [line["event"] for line in lines] == [
        "kafka does not answer",
        "kafka answers again",
        "kafka does not answer",
    ]


def test_why_the_connection_failed_says_more_than_a_timeout(world: World) -> None:
    world.admin.reports(KafkaError(KafkaError._TRANSPORT, "Connection refused"))
    world.admin.reports(KafkaError(KafkaError._ALL_BROKERS_DOWN, "1/1 brokers are down"))
    with capture_logs() as lines:
        world.look_at(5)
        world.admin.fail("orders", SILENT)
        world.look_at(6)
    assert lines[0]["reason"] == "Connection refused"
