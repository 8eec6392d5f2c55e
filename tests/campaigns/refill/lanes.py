"""The progress of the lanes under a prefix of Redis."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import redis
from confluent_kafka import Consumer

from tests.support.servers.deployment import Deployment, WorkerProcess
from tests.support.servers.services import end_of, eventually

_LOOK_S = 0.5
_SAY_S = 60.0


def wait_until_applied(
    deployment: Deployment,
    worker: WorkerProcess,
    redis_prefix: str,
    deadline_s: float,
    say: Callable[[str], None],
) -> None:
    """Wait until every lane under the prefix has applied all present events, and is live.

    Raises:
        AssertionError: the deadline has passed.
        tests.support.servers.deployment.WorkerEnded: the worker ended by itself.
    """
    ends = _ends(deployment)
    said_s = time.monotonic()

    def applied() -> bool:
        nonlocal said_s
        lanes = worker.lanes()
        left = sum(max(0, end - at) for end, at in zip(ends, _reached(deployment, redis_prefix), strict=True))
        if time.monotonic() - said_s > _SAY_S:
            said_s = time.monotonic()
            say(f"{left:,} events wait")
        assert left == 0, f"{left:,} events wait"
        assert lanes == set(range(deployment.partitions)), f"of the lanes only {sorted(lanes)} are live"
        return True

    eventually(applied, f"all is applied under {redis_prefix}", deadline_s=deadline_s, every_s=_LOOK_S)


def applied_under(deployment: Deployment, redis_prefix: str) -> int:
    """Return the number of events that the lanes under the prefix have applied."""
    return sum(_reached(deployment, redis_prefix))


def in_the_log(deployment: Deployment) -> int:
    """Return the number of events in the inputs."""
    return sum(_ends(deployment))


def _ends(deployment: Deployment) -> list[int]:
    """Return the number of events by lane and input. No transaction wrote them, so offsets have no gaps."""
    consumer = Consumer({"bootstrap.servers": deployment.bootstrap, "group.id": "ends"})
    try:
        return [
            end_of(consumer, topic, lane)
            for lane in range(deployment.partitions)
            for topic in deployment.topics.inputs
        ]
    finally:
        consumer.close()


def _reached(deployment: Deployment, redis_prefix: str) -> list[int]:
    with redis.Redis.from_url(deployment.redis_url, socket_timeout=60) as store:
        stored = [store.get(f"{redis_prefix}place:{lane}") for lane in range(deployment.partitions)]
    places = [json.loads(place.partition(b" ")[2]) if place else None for place in stored]
    told = [place["positions"] if isinstance(place, dict) else {} for place in places]
    return [positions.get(topic, 0) for positions in told for topic in deployment.topics.inputs]
