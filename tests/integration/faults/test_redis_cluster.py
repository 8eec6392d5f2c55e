"""A whole worker, and every command, on a Redis Cluster whose nodes die."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.support.servers.deployment import Deployment
from tests.support.servers.redis_cluster import LocalCluster, opened_redis
from tests.support.servers.services import eventually
from tests.support.workers.at_work import AtWork

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def store() -> Iterator[LocalCluster]:
    """Three nodes with a replica each; the fixtures of this folder need only its URL."""
    with LocalCluster() as cluster:
        yield cluster


def answer_of(deployment: Deployment, *arguments: object) -> Any:
    """Return what a command prints as JSON."""
    return json.loads(deployment.segue(*arguments, "--json").stdout)


def differing(deployment: Deployment) -> list[Any]:
    found: list[Any] = answer_of(deployment, "verify")["differing"]
    return found


def test_a_node_dies_its_replica_takes_over_and_every_command_works(
    busy: AtWork, store: LocalCluster
) -> None:
    deployment = busy.deployment
    first, second = store.shard_of("{0}"), store.shard_of("{1}")
    assert first != second
    killed, paused = store.primary(first), store.primary(second)

    with busy.fault(lambda: store.fail_over(first), killed.start):
        # The dead node is not back yet.
        before = busy.applied()
        eventually(lambda: not busy.reasons() and busy.applied() > before, "the worker goes on")
    store.whole()
    replica = store.replica(second)
    with busy.fault(paused.pause, paused.resume):
        # The paused node wakes up as a primary whose states are older.
        eventually(lambda: replica.is_primary, "its replica has taken over")
    store.whole()
    users = busy.ends_right().users

    assert differing(deployment) == []
    every_command_works(deployment, users)
    rebuilt_and_dropped(deployment, store.url)


def every_command_works(deployment: Deployment, users: int) -> None:
    cards = [json.loads(line) for line in deployment.segue("user", "--all", "--json").stdout.splitlines()]
    assert len(cards) == users
    card = answer_of(deployment, "user", cards[0]["user_id"])
    assert card["features"] == cards[0]["features"]
    assert card["similar_users"]
    checks = {check["name"]: check for check in answer_of(deployment, "doctor")["checks"]}
    assert checks["redis cluster"]["text"] == "3 primaries with 3 replicas"
    assert {checks[name]["state"] for name in ("redis", "redis rights", "redis policy", "redis cluster")} == {
        "ok"
    }
    assert "users have a place in the space" in checks["users"]["text"]
    deployment.segue("forget", cards[0]["user_id"], "--wait", 60)
    gone = deployment.segue("user", cards[0]["user_id"], check=False)
    assert "is not in Redis" in gone.stderr


def rebuilt_and_dropped(deployment: Deployment, url: str) -> None:
    """Rebuild beside the worker, let the lanes move, and delete the old states."""
    old, into = deployment.redis_prefix, f"{deployment.redis_prefix}2:"
    deployment.segue("rebuild", "--into", into)
    deployment.segue("rebuild", "--into", into, "--switch")
    moved = replace(deployment, settings={**deployment.settings, "SEGUE_REDIS_PREFIX": into}, _workers=[])
    eventually(lambda: all(phase == "ok" for phase in places(moved)), "every lane lives there")
    assert differing(moved) == []
    moved.segue("rebuild", "--into", old, "--drop")
    with opened_redis(url) as client:
        left = {key for key in client.scan_iter(f"{old}*") if not key.startswith(into.encode())}
    assert left == set()


def places(deployment: Deployment) -> list[str]:
    checks = answer_of(deployment, "doctor")["checks"]
    return [check["state"] for check in checks if check["name"].startswith("place ")]
