"""`segue bootstrap`: where the log goes on, and when there must be none."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from confluent_kafka import Producer

from schemas.errors import BadRelease, BadTopics
from schemas.topics import Topics
from schemas.wire import encode_release
from segue.bootstrap import fill
from segue.bootstrap_offsets import check_unused_group, offsets_at
from segue.kafka import prepare_topics
from segue.reading import CommittedReader
from segue.services import KafkaService, RedisService
from segue.settings import Settings
from streamer.bootstrap import NotFresh
from tests.releases import a_release
from tests.segue_process import SegueProcess

T = datetime(2024, 6, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def settings(
    kafka: KafkaService, redis_server: RedisService, topic_prefix: str, redis_prefix: str
) -> Settings:
    made = Settings.model_validate(
        {
            "kafka": kafka.bootstrap,
            "redis": redis_server.url,
            "topic_prefix": topic_prefix,
            "redis_prefix": redis_prefix,
            "group": f"{topic_prefix}group",
            "partitions": 2,
            "kafka_options": {"client.id": "test"},
        }
    )
    assert prepare_topics(made, lambda _: None) == 2
    return made


def write(settings: Settings, topic: str, partition: int, at: datetime) -> None:
    producer = Producer(settings.kafka_client)
    producer.produce(topic, b"{}", b"1", partition=partition, timestamp=int(at.timestamp() * 1000))
    assert producer.flush(30) == 0


def test_the_log_goes_on_at_the_first_record_not_older_than_t_less_the_margin(settings: Settings) -> None:
    signups, orders = settings.topics.inputs
    for hours in (-3, -2, -1, 0, 1):
        write(settings, signups, 0, T + timedelta(hours=hours))
    write(settings, orders, 1, T - 3 * HOUR)

    start = offsets_at(settings, 2, T, HOUR)

    assert start == {0: {signups: 2, orders: 0}, 1: {signups: 0, orders: 1}}


def test_a_log_that_begins_after_t_is_refused(settings: Settings) -> None:
    orders = settings.topics.orders
    write(settings, orders, 0, T + HOUR)

    with pytest.raises(
        BadTopics, match=f"topic {orders} begins at 2024-06-01T01:00:00Z, after 2024-06-01T00:00:00Z"
    ):
        offsets_at(settings, 2, T, HOUR)


def test_an_empty_log_goes_on_at_its_end(settings: Settings) -> None:
    signups, orders = settings.topics.inputs

    assert offsets_at(settings, 2, T, HOUR) == {lane: {signups: 0, orders: 0} for lane in (0, 1)}


def test_without_a_release_nothing_is_announced(settings: Settings) -> None:
    with pytest.raises(BadRelease, match="waiting for a first release: run `segue publish`"):
        fill(settings, list, T, HOUR, lambda _: None, lambda _: None)

    assert keys_of(settings) == []


def test_what_is_announced_tells_t_and_the_places(settings: Settings) -> None:
    publish(settings)

    filled = fill(settings, list, T, HOUR, lambda _: None, lambda _: None)

    assert (filled.users, filled.records) == (0, 0)
    signups, orders = settings.topics.inputs
    (record,) = [value for key, value in keys_of(settings) if key == b"bootstrap"]
    assert json.loads(record) == {
        "at": "2024-06-01T00:00:00Z",
        "places": {lane: {signups: 0, orders: 0} for lane in ("0", "1")},
        "snapshot": None,
    }


def test_a_group_with_workers_is_refused(settings: Settings, tmp_path: Path) -> None:
    publish(settings)
    environment = {
        f"SEGUE_{name.upper()}": str(getattr(settings, name))
        for name in ("kafka", "redis", "topic_prefix", "redis_prefix", "group")
    }
    with SegueProcess(tmp_path, "worker", environment=environment) as worker:
        worker.says("phase=live")
        with pytest.raises(
            NotFresh, match=f"the group {settings.group} has a worker: stop them, or set another"
        ):
            check_unused_group(settings)


def publish(settings: Settings) -> None:
    producer = Producer(settings.kafka_client)
    producer.produce(settings.topics.models, encode_release(a_release()), b"current")
    assert producer.flush(30) == 0


def keys_of(settings: Settings) -> list[tuple[object, bytes]]:
    """All records of the releases' topic."""
    reader = CommittedReader(
        settings.kafka_client, [Topics(settings.topic_prefix).models], from_beginning=True
    )
    try:
        ends = reader.ends()
        found = []
        while not reader.has_reached(ends):
            message = reader.poll(0.2)
            if message is not None:
                found.append((message.key(), message.value() or b""))
        return found
    finally:
        reader.close()
