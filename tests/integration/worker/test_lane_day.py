"""A new day on a real Kafka and Redis: a lane decides those who are due, and keeps its day in both.

By ``a_recency_release`` a user is in segment 0 up to 5 days after the last order, then in 1.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import redis
from confluent_kafka import Consumer, TopicPartition

from schemas.features import FEATURES
from schemas.input_events import Item, Order
from schemas.inputs.decode import encode_order
from schemas.partitioner import partition_of
from segue.services import KafkaService, RedisService
from streamer.lane.lane import Lane
from streamer.place import place as places
from streamer.redis.redis_store import RedisStore
from tests.support.checks.read_records import value_of
from tests.support.servers.services import eventually
from tests.support.workers.lane_logs import LANE, PARTITIONS, LaneLogs
from tests.support.worlds.lane_world import NOW, World
from tests.support.worlds.made_up_release import RECENCY, a_recency_release, an_active_model

USERS = [user_id for user_id in map(str, range(50)) if partition_of(user_id, PARTITIONS) == LANE][:3]
DAY = timedelta(days=1)


@pytest.fixture
def logs(kafka: KafkaService, topic_prefix: str) -> Iterator[LaneLogs]:
    with LaneLogs(kafka.bootstrap, topic_prefix) as logs:
        yield logs


def settings_of(logs: LaneLogs) -> World:
    """The settings, the release and the watcher of a world; its lanes run elsewhere."""
    world = World(PARTITIONS, features=(*FEATURES, RECENCY), topics=logs.topics)
    world.models.model = an_active_model(release=a_recency_release())
    return world


def told(logs: LaneLogs) -> list[dict[str, Any]]:
    return [json.loads(value_of(record)) for record in logs.seen(logs.topics.changes)]


def days_in_offsets(logs: LaneLogs) -> set[str]:
    partitions = [TopicPartition(topic, LANE) for topic in logs.topics.inputs]
    with Consumer({**logs.client, "group.id": logs.group, "log_level": 0}) as consumer:
        committed = consumer.committed(partitions, 10)
    return {str(at.metadata).rpartition(" on ")[2] for at in committed}


def test_who_is_due_moves_once_and_no_clock_takes_the_day_back(
    logs: LaneLogs, redis_server: RedisService, redis_prefix: str
) -> None:
    world, now = settings_of(logs), NOW

    def opened(store: RedisStore) -> Lane:
        lane = Lane(
            LANE,
            logs.open(),
            store,
            world.models,
            world.config,
            world.watcher,
            clock=lambda: now,
        )
        lane.take_over(world.writer())
        return lane

    def until(lane: Lane, changes: int) -> None:
        def ready() -> bool:
            lane.step(0.1)
            return len(told(logs)) >= changes

        eventually(ready, f"there are {changes} changes")

    for number, user_id in enumerate(USERS):
        key, value = encode_order(Order(user_id, "1", NOW + number * DAY, (Item("Ön"),)))
        logs.send(logs.topics.orders, value, key=key)
    client = redis.Redis.from_url(redis_server.url)
    with client, closing(RedisStore(redis_server.url, LANE, redis_prefix)) as store:
        now = NOW + 2 * DAY
        lane = opened(store)
        until(lane, 3)
        assert {change["cause"]["day"] for change in told(logs)} == {"2024-06-03"}
        due = client.zrange(f"{redis_prefix}due:{LANE}", 0, -1, withscores=True)
        assert due == [(u.encode(), s) for u, s in zip(USERS, (20240607, 20240608, 20240609), strict=True)]

        now = datetime(2024, 6, 8, 12, tzinfo=UTC)
        until(lane, 5)
        while lane.step(0.1):
            pass
        assert [
            (c["user_id"], c["segment"], c["cause"]["type"], c["cause"]["day"]) for c in told(logs)[3:]
        ] == [(user_id, 1, "time", "2024-06-08") for user_id in USERS[:2]]
        assert days_in_offsets(logs) == {"2024-06-08"}

        for key in client.scan_iter(match=f"{redis_prefix}*"):
            client.unlink(key)
        now = NOW
        lane = opened(store)
        while lane.step(0.1):
            pass
        stored = store.follow()
        assert stored is not None
        assert places.decode(stored).decides_on == date(2024, 6, 8)
        assert len(told(logs)) == 5
        assert client.zscore(f"{redis_prefix}due:{LANE}", USERS[2]) == 20240609
