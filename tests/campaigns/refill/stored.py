"""Read users from Redis and `user-segments` without the product."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import msgspec
import redis

from tests.support.checks.read_records import KafkaRecord, each_record
from tests.support.servers.deployment import Deployment

_AT_ONCE = 1_000


@dataclass(slots=True)
class Told:
    """``records``: the count in ``user-segments``; ``newest``: the last record of each sampled user.

    A tombstone in ``newest`` is None.
    """

    records: int = 0
    newest: dict[str, dict[str, Any] | None] = field(default_factory=dict)


def users_in_redis(deployment: Deployment, redis_prefix: str) -> set[str]:
    """Return the ids of all users with a key."""
    start = f"{redis_prefix}user:"
    with redis.Redis.from_url(deployment.redis_url, socket_timeout=60, decode_responses=True) as store:
        return {key[len(start) :] for key in store.scan_iter(f"{start}*", 10_000)}


def hashes(
    deployment: Deployment, redis_prefix: str, user_ids: Collection[str]
) -> dict[str, dict[bytes, bytes]]:
    """Return the hash of each of these users; an empty hash for a user without a key."""
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
    """Read `user-segments` to its end; keep only the sampled users, since memory cannot hold all records."""
    found = Told()
    for message in each_record(deployment.bootstrap, deployment.topics.users, deployment.lanes):
        _note(found, message, looked_at)
    return found


def _note(found: Told, message: KafkaRecord, looked_at: Collection[str]) -> None:
    found.records += 1
    key, value = message.key(), message.value()
    assert key is not None, "a record of user-segments has no key"
    if key.decode() in looked_at:
        found.newest[key.decode()] = None if value is None else msgspec.json.decode(value)
