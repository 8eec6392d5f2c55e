"""`segue verify` on real servers: beside a worker that works, and after somebody touched Redis."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from confluent_kafka import Producer

from schemas.input_events import Event, Item, Order, Signup, UserErased
from tests.support.inputs.shops import Shop, write_csv
from tests.support.servers.deployment import Deployment
from tests.support.servers.services import HANG_S

START = datetime(2024, 5, 1, tzinfo=UTC)
BRANDS = ("Allegra K", "Carhartt", "Ön")


def a_shop(users: int) -> Iterator[Event]:
    """A signup, three orders and a later version of one, of each user; every tenth is erased."""
    for number in range(users):
        user_id = f"u{number}"
        yield Signup(user_id, START, age=20 + number % 50, gender="FM"[number % 2])
        for order in range(3):
            items = (Item(BRANDS[(number + order) % 3], "Jeans"),) * (1 + number % 2)
            yield Order(user_id, f"{number}-{order}", START + timedelta(hours=order), items)
        changed = START + timedelta(days=1)
        yield Order(user_id, f"{number}-0", START, (Item("Carhartt", "Socks"),), updated_at=changed)
        if number % 10 == 0:
            yield UserErased(user_id, START + timedelta(minutes=90))


def verified(deployment: Deployment, *options: object, code: int = 0) -> dict[str, Any]:
    done = deployment.segue("verify", "--json", *options, check=False)
    assert done.returncode == code, done.stderr + done.stdout[:2_000]
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_beside_a_worker_that_works_and_after_redis_was_touched(deployment: Deployment) -> None:
    events = list(a_shop(400))
    worker = deployment.worker().ready()
    deployment.send(events[: len(events) // 2])
    deployment.send(events[len(events) // 2 :])

    beside = verified(deployment)

    assert beside["differing"] == []
    assert beside["users"] > 0
    deployment.caught_up()
    whole = verified(deployment)
    assert (whole["users"], whole["differing"]) == (400, [])
    assert whole["records"] > len(events)
    worker.stop()

    with redis.Redis.from_url(deployment.redis_url) as store:
        right = int(store.hget(f"{deployment.redis_prefix}user:u1", "segment"))
        store.hset(f"{deployment.redis_prefix}user:u1", "segment", right + 1)
        store.delete(f"{deployment.redis_prefix}user:u2")
        store.hset(f"{deployment.redis_prefix}user:nobody", "o:1", "{}")
    touched = verified(deployment, code=1)
    assert {one["user_id"]: one["differences"] for one in touched["differing"]}.keys() == {
        "u1",
        "u2",
        "nobody",
    }
    by_user = {one["user_id"]: one["differences"] for one in touched["differing"]}
    assert by_user["u1"] == [{"field": "field segment", "log": str(right), "redis": str(right + 1)}]
    assert by_user["u2"] == [{"field": "user", "log": "known", "redis": "missing"}]
    told = deployment.segue("verify", check=False)
    assert "3 users differ" in told.stderr
    assert f'u1\tfield segment\tlog "{right}"\tRedis "{right + 1}"' in told.stdout


@pytest.mark.long
def test_after_a_bootstrap_the_warehouse_tells_what_the_log_does_not(
    deployment: Deployment, tmp_path: Path
) -> None:
    shop = Shop()
    for number in range(30):
        shop.user(str(number), "2024-01-01 00:00:00", age=str(18 + number), gender="F")
        shop.order(f"{number}-1", str(number), ["Ön/Jeans"], "2024-02-01 00:00:00")
        shop.order(f"{number}-2", str(number), ["Carhartt/Socks"], "2024-06-03 00:00:00")
    tables = write_csv(shop, tmp_path / "tables")
    deployment.segue("bootstrap", "--warehouse", tables, "--as-of", "2024-06-01")
    deployment.worker().ready()
    deployment.segue("ingest", "--warehouse", tables, "--since", "2024-06-01")
    deployment.segue("forget", "3", "--wait", "60")
    deployment.caught_up()

    without = deployment.segue("verify", check=False)
    assert without.returncode == 7
    assert "the users of the bootstrap as of 2024-06-01T00:00:00Z are not in the log" in without.stderr
    whole = verified(deployment, "--warehouse", tables)
    assert (whole["users"], whole["erased"], whole["differing"]) == (30, 1, [])
    assert whole["lanes_without_place"] == []
    shown = deployment.segue("verify", "--warehouse", tables).stderr
    assert "29 users and 1 erased compared with " in shown
    # User 3's erasure lies in the log: before it the user was there, and a replay begins before it.
    again = json.loads(deployment.segue("replay", "--json", "--warehouse", tables).stdout)
    assert (again["users"], again["undecided_before"], again["differing"]) == (30, 0, [])
    assert again["changes"] == again["live_changes"] > 0


def test_a_lane_without_a_place_is_said_and_whether_a_worker_would_make_it(deployment: Deployment) -> None:
    producer = Producer({"bootstrap.servers": deployment.bootstrap})
    producer.produce(deployment.topics.users, b"{}", b"7", partition=0)
    assert producer.flush(HANG_S) == 0

    assert verified(deployment, code=1)["lanes_without_place"] == [0, 1, 2]
    shown = deployment.segue("verify", check=False).stderr
    assert (
        "Lane 0 has no place in Redis, so its users were not compared. segue doctor says: the group" in shown
    )
    assert "Lane 1 has no place in Redis, so its users were not compared: start a worker." in shown


def test_who_reached_the_bound_of_a_state_is_named_by_verify_rebuild_and_replay(
    deployment: Deployment,
) -> None:
    brands = [tuple(Item(f"{order}-{item}") for item in range(1_000)) for order in range(5)]
    deployment.worker().ready()
    deployment.send(Order("7", f"{number}", START, items) for number, items in enumerate(brands))
    deployment.send(a_shop(30))
    deployment.caught_up()
    reason = "items: the user would have 5,000 different values of brand, and a user has at most 4,096"
    refused = [{"user_id": "7", "facts": 1, "reason": reason}]

    whole = verified(deployment)
    assert (whole["refused"], whole["differing"]) == (refused, [])
    told = deployment.segue("verify").stderr
    assert "1 events cannot be applied and are left out" in told
    assert f"User 7: 1 left out; the first, {reason}." in told
    filled = deployment.segue("rebuild", "--json", "--into", f"{deployment.redis_prefix}2:")
    assert json.loads(filled.stdout)["refused"] == refused
    again = json.loads(deployment.segue("replay", "--json").stdout)
    assert (again["refused"], again["differing"]) == (refused, [])
