"""What a lane's batch asks of a real Redis, counted there and at the connection, by the size of the batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta

import pytest
import redis
from msgspec.structs import replace
from redis.connection import AbstractConnection

from schemas.features import FEATURES
from schemas.input_events import Item, Order, Signup
from streamer.redis.redis_store import RedisStore
from tests.support.checks.stored_json import state_json
from tests.support.strategies.events import START
from tests.support.strategies.features import RICH
from tests.support.workers.redis_writes import StartRedis
from tests.support.worlds.lane_world import World, drain
from tests.support.worlds.made_up_release import TIMED, a_release, an_active_model, timed

SIZES = (10, 100, 1_000)
# Commands within the scripts: the one angle that all share; the index, and those to be swept.
LOAD = Counter(zmscore=1, zcard=1, mget=1)
NEIGHBOURS = Counter(zcard=1, zcount=2, zrange=1, hget=1)
SAVE = Counter(get=2, exists=1, incr=1, zadd=2, set=1)
DUE = Counter(zadd=1, zrem=1)


def calls(client: redis.Redis) -> Counter[str]:
    """How often Redis has run each command, those of scripts too."""
    stats = client.info("commandstats")
    return Counter({name.removeprefix("cmdstat_"): told["calls"] for name, told in stats.items()})


@pytest.mark.parametrize(
    ("size", "of_time"), [*((size, False) for size in SIZES), (SIZES[0], True), (SIZES[1], True)]
)
def test_a_batch_takes_three_round_trips_and_each_event_the_same_commands(
    size: int, of_time: bool, fresh_redis: StartRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With features of time, two commands more: who is due, and who is so no longer."""
    server = fresh_redis()
    sent = 0
    send: Callable[..., None] = AbstractConnection.send_packed_command

    def counted(*args: object, **named: object) -> None:
        nonlocal sent
        sent += 1
        send(*args, **named)

    world = World(max_batch=size, features=(*FEATURES, *TIMED) if of_time else FEATURES)
    world.now = START + timedelta(days=1)
    if of_time:
        world.models.model = an_active_model(release=timed(a_release()))
    with closing(RedisStore(server.url, 0)) as store, redis.Redis.from_url(server.url) as client:
        lane = world.lane(wrap=lambda log, _: (log, store))
        lane.take_over(world.writer())
        # Once before, so that the scripts are known to Redis.
        world.send(*(Signup(user_id, START, age=30) for user_id in ("before", "again")))
        assert lane.step(0.0) == 2
        again = Signup("again", START + timedelta(hours=1), age=30)
        world.send(again, *(Order(f"{n}", "1", START, (Item(f"{n % 7}"),)) for n in range(size - 1)))
        before, told = calls(client), len(world.changes())
        with monkeypatch.context() as patch:
            patch.setattr(AbstractConnection, "send_packed_command", counted)
            assert lane.step(0.0) == size
        made = calls(client) - before
    assert len(world.changes()) == size - 1 + told
    # The place and the users, the neighbours of those who move, the save.
    assert sent == 3
    del made["info"]
    # Every user is read and written once; all else is the same for any size.
    assert (made.pop("hmget"), made.pop("hset")) == (size, size)
    assert made == Counter(evalsha=3) + LOAD + NEIGHBOURS + SAVE + (DUE if of_time else Counter())


def test_an_order_of_many_is_withdrawn_for_what_one_of_few_costs(fresh_redis: StartRedis) -> None:
    """Also the oldest, which held a brand first, the extremes and, being made anew, the newest value."""
    few, many = (withdrawn(fresh_redis, orders) for orders in (100, 5_000))
    assert few.commands == many.commands
    assert few.commands["hgetall"] == 0
    # Numbers and ids are longer; 4,900 orders more would be half a megabyte.
    assert many.bytes_read - few.bytes_read < 1_000


@dataclass
class Cost:
    """What Redis was asked for, and how much it answered."""

    commands: Counter[str]
    bytes_read: int


def withdrawn(fresh_redis: StartRedis, orders: int) -> Cost:
    """What it costs to cancel the first order, and to cancel the last, of a user of so many."""
    server = fresh_redis()
    world = World(exclude=["Cancelled"], features=RICH, max_batch=500)
    made = [an_order(number) for number in range(orders)]
    with closing(RedisStore(server.url, 0)) as store, redis.Redis.from_url(server.url) as client:
        lane = world.lane(wrap=lambda log, _: (log, store))
        lane.take_over(world.writer())
        world.send(*made)
        drain(lane)
        assert client.hlen("segue:user:7") > orders
        before, read = calls(client), client.info("stats")["total_net_output_bytes"]
        for order in (made[0], made[-1]):
            world.send(replace(order, status="Cancelled", updated_at=START + timedelta(days=9)))
            assert lane.step(0.0) == 1
        cost = calls(client) - before
        answered = client.info("stats")["total_net_output_bytes"] - read
        state = state_json(client.hget("segue:user:7", "state"))
    facts = state["facts"]
    assert (facts["held"], facts["counted"], state["indexed"]) == (orders, orders - 2, True)
    assert facts["brands"]["Ön"][1] == "2024-01-01T00:00:01Z"
    assert facts["latest"]["brand"][1] == f"{orders - 2}"
    return Cost(cost, answered)


def an_order(number: int) -> Order:
    """The earlier, the cheaper."""
    at = START + timedelta(seconds=number)
    return Order("7", f"{number}", at, (Item("Ön", "Jeans", price=5.0 + number),), status="Complete")
