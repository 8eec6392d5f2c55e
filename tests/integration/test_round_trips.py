"""What a lane's batch asks of a real Redis, counted there and at the connection, by the size of the batch."""

from __future__ import annotations

from collections import Counter
from contextlib import closing

import pytest
import redis
from redis.connection import AbstractConnection

from schemas.events import Item, Order, Signup
from streamer.store import RedisStore
from tests.integration.redis_writes import StartRedis
from tests.strategies.events import START
from tests.worlds import World

SIZES = (10, 100, 1_000)
# Commands within the scripts: the one angle that all share; the index, and those to be swept.
NEIGHBOURS = {"zcard": 1, "zcount": 1, "zrange": 1, "hget": 2}
SAVE = {"get": 2, "incr": 1, "zadd": 2, "set": 1}


def calls(client: redis.Redis) -> Counter[str]:
    """How often Redis has run each command, those of scripts too."""
    stats = client.info("commandstats")
    return Counter({name.removeprefix("cmdstat_"): told["calls"] for name, told in stats.items()})


@pytest.mark.parametrize("size", SIZES)
def test_a_batch_takes_three_round_trips_and_each_event_the_same_commands(
    size: int, fresh_redis: StartRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = fresh_redis()
    sent = 0
    send = AbstractConnection.send_packed_command

    def counted(*args: object, **named: object) -> None:
        nonlocal sent
        sent += 1
        send(*args, **named)  # type: ignore[arg-type]

    world = World(max_batch=size)
    with closing(RedisStore(server.url, 0)) as store, redis.Redis.from_url(server.url) as client:
        lane = world.lane(wrap=lambda log, _: (log, store))
        lane.take_over(world.writer())
        # Once before, so that the scripts are known to Redis.
        world.send(Signup("before", START, age=30))
        assert lane.step(0.0) == 1
        world.send(*(Order(f"{n}", "1", START, (Item(f"{n % 7}"),)) for n in range(size)))
        before = calls(client)
        with monkeypatch.context() as patch:
            patch.setattr(AbstractConnection, "send_packed_command", counted)
            assert lane.step(0.0) == size
        made = calls(client) - before
    assert len(world.changes()) == size + 1
    # The place and the users, the neighbours of those who move, the save.
    assert sent == 3
    del made["info"]
    # Every user is read and written once; all else is the same for any size.
    assert (made.pop("hmget"), made.pop("hset")) == (size, size)
    assert made == {"mget": 1, "evalsha": 2} | NEIGHBOURS | SAVE
