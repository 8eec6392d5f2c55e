"""A save that Redis lost and half restores, step by step on a real server (docs/redis.md)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import redis
from msgspec.structs import replace

from schemas.errors import NeedsRebuild
from schemas.input_events import Item, Order, UserErased
from segue.services import LocalRedis
from streamer.interfaces.lane_errors import Torn
from streamer.interfaces.lane_interfaces import Log, Store
from streamer.lane.lane import Lane
from streamer.redis.redis_store import RedisStore
from streamer.segment.active_model import BootstrapRecord
from streamer.user.stored.stored_state import decode, pack_order
from tests.support.servers.aof import cut_after
from tests.support.worlds.lane_world import NOW, World, drain

DAY = timedelta(days=1)


class Stage:
    """One lane over a log in memory and a Redis that is killed and cut."""

    def __init__(self, server: LocalRedis) -> None:
        self.server = server
        self.world = World(max_batch=10)
        self.stores: list[RedisStore] = []

    def lane(self) -> Lane:
        def over_redis(log: Log, _: Store) -> tuple[Log, Store]:
            self.stores.append(RedisStore(self.server.url, 0))
            return log, self.stores[-1]

        lane = self.world.lane(wrap=over_redis)
        lane.take_over(self.world.writer())
        return lane

    def run(self) -> None:
        drain(self.lane())

    def cut(self, order_id: str) -> None:
        """Kill Redis, and cut its file inside the command after the one that wrote this order of the user."""
        self.server.kill()
        cut_after(self.server.data, b"HSET", b"segue:user:7", f"o:{order_id}".encode())
        self.server.start()

    def fields(self) -> dict[bytes, bytes]:
        with redis.Redis.from_url(self.server.url) as client:
            fields: dict[bytes, bytes] = client.hgetall("segue:user:7")
            return fields

    def orders(self) -> dict[str, bytes]:
        return {k[2:].decode(): v for k, v in self.fields().items() if k.startswith(b"o:")}

    def close(self) -> None:
        for store in self.stores:
            store.close()


# With "everysec" Redis delays its writes to the file by up to 2 s while the disk is slow.
WRITTEN = {"appendfsync": "always"}


@pytest.fixture
def stage() -> Iterator[Stage]:
    with LocalRedis(repair=False, options=WRITTEN) as server:
        made = Stage(server)
        yield made
        made.close()


def an_order(order_id: str, brand: str, days: int = 0, updated: int = 0) -> Order:
    at = NOW - 30 * DAY + days * DAY
    return Order("7", order_id, at, (Item(brand, "Jeans"),), updated_at=at + updated * DAY)


def test_an_order_of_an_erased_user_does_not_come_back(stage: Stage) -> None:
    stage.run()
    stage.world.send(an_order("A", "Nautica"))
    stage.run()
    stage.world.send(UserErased("7", NOW))
    stage.run()
    stage.cut("A")
    stage.run()  # folds both at once
    assert stage.orders() == {}

    stage.server.restart()

    assert stage.orders().keys() == {"A"}, "this server brings back no half of a lost save"
    newer = an_order("A", "Nautica", updated=1)
    stage.world.send(newer)
    stage.run()
    assert stage.orders() == {}
    assert stage.fields().keys() == {b"state"}
    assert [change.kind for change in stage.world.changes("7")] == ["moved", "erased"]


def test_an_order_that_the_facts_do_not_count_is_not_believed(stage: Stage) -> None:
    """Healing took A, then B; B's save was cut. A newer A would withdraw what was never counted."""
    stage.run()
    stage.world.send(an_order("A", "Nautica"), an_order("B", "Levi's", days=1))
    stage.run()
    stage.cut("B")
    stage.world.config = replace(stage.world.config, max_batch=1)
    stage.run()
    stage.cut("B")
    stage.server.restart()
    newer = an_order("A", "Nautica", updated=1)
    stage.world.send(newer)

    stage.run()

    right = [newer, an_order("B", "Levi's", days=1)]
    assert stage.orders() == {order.order_id: pack_order(order) for order in right}
    state = decode("7", stage.fields()[b"state"], {})
    assert (state.facts.held, set(state.facts.brands)) == (2, {"Nautica", "Levi's"})


def test_a_lane_of_which_a_half_came_back_is_torn_to_every_call(stage: Stage) -> None:
    stage.run()
    stage.world.send(an_order("A", "Nautica"))
    stage.run()
    stage.cut("A")
    stage.run()
    store = RedisStore(stage.server.url, 0)
    before = store.follow()
    stage.server.restart()
    for read in (store.follow, lambda: store.load({"7": ["A"]}), lambda: store.load_orders(["7"])):
        with pytest.raises(Torn, match="it has run 10 saves of this lane, and the place is of save 9"):
            read()
    assert not store.save(before, b"{}", [])
    assert store.places([0]) == []
    store.close()


def test_what_came_back_is_not_healed_where_the_log_is_not_whole(stage: Stage) -> None:
    stage.run()
    stage.world.send(an_order("A", "Nautica"))
    stage.run()
    stage.cut("A")
    stage.run()
    stage.server.restart()
    before = stage.fields()
    stage.world.models.bootstrapped = BootstrapRecord("2024-01-01T00:00:00Z", {})

    with pytest.raises(NeedsRebuild, match=r"Redis brought back a part of a save.*segue rebuild"):
        stage.run()

    assert stage.fields() == before


def test_a_file_that_is_repaired_before_the_start_brings_nothing_back() -> None:
    with LocalRedis(options=WRITTEN) as server:
        stage = Stage(server)
        stage.run()
        stage.world.send(an_order("A", "Nautica"))
        stage.run()
        stage.cut("A")
        stage.run()
        server.restart()
        store = RedisStore(server.url, 0)
        assert store.follow() is not None
        store.close()
        stage.close()
