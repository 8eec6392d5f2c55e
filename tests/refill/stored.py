"""What Redis and `user-segments` hold of users, read without the product."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import msgspec
import redis
from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from tests.deployment import Deployment

_ASK_S = 1.0
_SILENT = 60  # so many questions without an answer, and Kafka is not well
_AT_ONCE = 1_000


@dataclass(slots=True)
class Told:
    """``records`` that ``user-segments`` holds; the ``newest`` by user, None for a null, of those who are looked at."""

    records: int = 0
    newest: dict[str, dict[str, Any] | None] = field(default_factory=dict)


def users_in_redis(deployment: Deployment, redis_prefix: str) -> set[str]:
    """The ids of all who have a key."""
    start = f"{redis_prefix}user:"
    with redis.Redis.from_url(deployment.redis_url, socket_timeout=60, decode_responses=True) as store:
        return {key[len(start) :] for key in store.scan_iter(f"{start}*", 10_000)}


def hashes(
    deployment: Deployment, redis_prefix: str, user_ids: Collection[str]
) -> dict[str, dict[bytes, bytes]]:
    """What Redis has of each of these users; nothing of one who has no key."""
    found: dict[str, dict[bytes, bytes]] = {}
    left = list(user_ids)
    with redis.Redis.from_url(deployment.redis_url, socket_timeout=60) as store:
        for at in range(0, len(left), _AT_ONCE):
            some = left[at : at + _AT_ONCE]
            pipeline = store.pipeline(transaction=False)
            for user_id in some:
                pipeline.hgetall(f"{redis_prefix}user:{user_id}")
            found |= dict(zip(some, pipeline.execute(), strict=True))
    return found


def told(deployment: Deployment, looked_at: Collection[str]) -> Told:
    """Read `user-segments` to its end; a million records are too many to keep."""
    topic, found = deployment.topics.users, Told()
    consumer = Consumer(
        {
            "bootstrap.servers": deployment.bootstrap,
            "group.id": "told",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "log_level": 0,
        }
    )
    try:
        consumer.assign([TopicPartition(topic, lane, 0) for lane in deployment.lanes])
        left, silent = set(deployment.lanes), 0
        while left:
            messages = consumer.consume(10_000, _ASK_S)
            silent = 0 if messages else silent + 1
            assert silent < _SILENT, f"{topic} does not come to its end"
            for message in messages:
                if _is_end(message):
                    left.discard(message.partition())
                else:
                    _note(found, message, looked_at)
    finally:
        consumer.close()
    return found


def _is_end(message: Message) -> bool:
    error = message.error()
    assert error is None or error.code() == KafkaError._PARTITION_EOF, error
    return error is not None


def _note(found: Told, message: Message, looked_at: Collection[str]) -> None:
    found.records += 1
    key, value = message.key(), message.value()
    assert key is not None, "a record of user-segments has no key"
    if key.decode() in looked_at:
        found.newest[key.decode()] = None if value is None else msgspec.json.decode(value)
