"""The store, and the client of commands, on a Redis Cluster of three nodes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import BadSetting, BadStore, LoginRefused, NeedsRebuild, Unreachable, Unusable
from schemas.input_events import UserErased
from schemas.partitioner import partition_of
from segue.config.load_settings import load_settings
from segue.connect.redis_users import RedisUsers
from segue.refill.rebuild_lease import RedisLeases
from segue.services import LocalRedis
from streamer.drift.sample_users import sample_users
from streamer.in_memory import MemoryRedis, MemoryStore
from streamer.interfaces.lane_interfaces import Store, UserWrite
from streamer.place.redis_keys import Keys
from streamer.redis.cluster_store import store_at
from streamer.redis.node_urls import address_of
from streamer.redis.redis_client import check_policy, connect
from streamer.redis.redis_rights import check_rights, try_rights
from streamer.redis.redis_store import RedisStore
from streamer.user.fold_events import fold
from streamer.user.order_rules import Rules
from streamer.user.stored.stored_state import encode
from streamer.user.user_state import UserState
from tests.support.servers.acl import documented_rights
from tests.support.servers.redis_cluster import LocalCluster, opened_redis
from tests.support.servers.services import start_server
from tests.support.strategies.angles import angles, user_ids
from tests.support.strategies.writes import DUE, asks, orders, saves
from tests.support.workers.redis_writes import SPACE, at, nearest

LANES = 4  # their tags lie on all three nodes
KEYS = Keys(tagged=True)


def lane_of(user_id: str) -> int:
    return partition_of(user_id, LANES)


def of_lane(lane: int) -> str:
    """The smallest number that is the id of a user in this lane."""
    return next(str(number) for number in range(100) if lane_of(str(number)) == lane)


@pytest.fixture(scope="module")
def servers() -> Iterator[LocalCluster]:
    with LocalCluster(replicas=0) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def alone() -> Iterator[str]:
    """The URL of one server."""
    with ExitStack() as stack:
        yield start_server(stack, LocalRedis()).url


@pytest.fixture
def url(servers: LocalCluster) -> str:
    emptied(servers.url)
    return servers.url


def emptied(url: str) -> None:
    with opened_redis(url) as client:
        client.flushall()


@contextmanager
def opened(url: str) -> Iterator[list[RedisStore]]:
    """Yield the store of each lane."""
    with ExitStack() as stack:
        yield [stack.enter_context(closing(store_at(url, lane, lanes=LANES))) for lane in range(LANES)]


@pytest.fixture(scope="module")
def of_servers(servers: LocalCluster, alone: str) -> Iterator[list[list[RedisStore]]]:
    """The stores on the cluster, and those on one server."""
    with opened(servers.url) as on_cluster, opened(alone) as on_one:
        yield [on_cluster, on_one]


def test_the_lanes_and_their_indexes_lie_on_all_nodes(servers: LocalCluster) -> None:
    keys = [KEYS.place, KEYS.saves, KEYS.swept, KEYS.due]
    for lane in range(LANES):
        names = [key(lane) for key in keys]
        names += [KEYS.user("7", lane), KEYS.orders("7", lane), KEYS.angles("s1", lane)]
        # A brace in an id comes too late to be a tag.
        names.append(KEYS.user("{7}", lane))
        assert len({servers.shard_of(name) for name in names}) == 1
    assert {servers.shard_of(KEYS.angles("s1", lane)) for lane in range(LANES)} == {0, 1, 2}


def test_a_prefix_with_a_tag_of_its_own_is_refused() -> None:
    with pytest.raises(BadSetting, match=r"setting redis_prefix is 'a\{b\}:': leave out the braces"):
        Keys("a{b}:", tagged=True)


def test_a_refused_save_leaves_the_index_alone(url: str) -> None:
    with closing(store_at(url, 0)) as store, opened_redis(url) as client:
        assert store.save(None, b"p1", [UserWrite("21", {"segment": "3"}, {}, {"s1": 1.0})])
        assert not store.save(None, b"p2", [UserWrite("21", {"segment": "4"}, {}, {"s1": 2.0})])

        assert client.zrange("segue:angles:{0}:s1", 0, -1, withscores=True) == [(b"21", 1.0)]
        assert client.hget("segue:user:{0}:21", "segment") == b"3"


@settings(max_examples=25)
@given(
    history=st.lists(saves, min_size=1, max_size=3),
    towards=st.lists(angles, min_size=1, max_size=4),
    n=st.integers(1, 8),
    exclude=st.sets(user_ids, max_size=6),
)
def test_a_cluster_gives_what_one_server_and_what_memory_give(
    of_servers: list[list[RedisStore]],
    history: Sequence[Sequence[UserWrite]],
    towards: list[float],
    n: int,
    exclude: set[str],
) -> None:
    for on_cluster_or_one in of_servers:
        on_cluster_or_one[0]._redis.flushall()
    redis_in_memory = MemoryRedis()
    memory = [MemoryStore(redis_in_memory, lane) for lane in range(LANES)]
    for step, writes in enumerate(history):
        for lane in range(LANES):
            ours = [write for write in writes if lane_of(write.user_id) == lane]
            stores: list[Store] = [memory[lane], *(of_server[lane] for of_server in of_servers)]
            for store in stores:
                assert store.save(store.follow(), f"p{step}".encode(), ours)
    touched = {write.user_id for writes in history for write in writes}
    for real in of_servers:
        assert real[0].places(range(LANES)) == memory[0].places(range(LANES))
        for lane in range(LANES):
            ours_touched = {user_id for user_id in touched if lane_of(user_id) == lane}
            wanted = dict.fromkeys(ours_touched, orders)
            assert real[lane].load(wanted) == memory[lane].load(wanted)
            assert real[lane].load_orders(ours_touched) == memory[lane].load_orders(ours_touched)
            for user_id in ours_touched:
                assert real[lane].load_ends(user_id, asks) == memory[lane].load_ends(user_id, asks)
            assert real[lane].unswept(2, 3) == memory[lane].unswept(2, 3)
            assert real[lane].due(DUE, 3) == memory[lane].due(DUE, 3)
            for space in ("s1", "s2"):
                expected = nearest(memory[lane], towards, n, exclude, space)
                assert nearest(real[lane], towards, n, exclude, space) == expected


def test_emptying_takes_one_lane_and_clearing_takes_all(url: str) -> None:
    with opened(url) as stores, opened_redis(url) as client:
        for lane, store in enumerate(stores):
            user = UserWrite(of_lane(lane), {"segment": "1"}, {}, {SPACE: 0.5}, swept=1, due=DUE)
            assert store.save(None, b"p1", [user])
        assert stores[0].empty(b"p1", lambda user_id: lane_of(user_id) == 0) == 4
        left = {key for key in client.scan_iter("*") if b"{0}" in key}
        assert left == {b"segue:place:{0}", b"segue:saves:{0}"}
        assert client.hget(KEYS.user(of_lane(1), 1), "segment") == b"1"

        assert stores[0].clear(b"p0") is None
        assert stores[0].clear(b"p1")
        assert {key.split(b"{")[0] for key in client.scan_iter("*")} == {b"segue:place:", b"segue:saves:"}
        for store in stores:
            assert store.drop_place(b"p1")
        assert [*client.scan_iter("*")] == []


def test_a_sample_is_of_all_lanes(url: str) -> None:
    users = {of_lane(lane) for lane in range(LANES)}
    with opened(url) as stores:
        for user_id in users:
            write = UserWrite(user_id, {"state": encode(UserState(user_id))}, {}, {}, swept=1)
            assert stores[lane_of(user_id)].save(None, b"p1", [write])
    assert {user.user_id for user in sample_users(url, "segue:", range(LANES), Random(7))} == users


def test_whoever_reads_all_users_needs_no_lane_0(url: str) -> None:
    """A rebuild reads the erasures, also after a node lost the states of lane 0."""
    erased_at = datetime(2024, 5, 1, tzinfo=UTC)
    with opened(url) as stores:
        for lane in range(1, LANES):
            state = fold(UserState(of_lane(lane)), UserErased(of_lane(lane), erased_at), Rules())
            fields: dict[str, bytes | str | None] = {"state": encode(state), "segment": "1"}
            assert stores[lane].save(None, b"p1", [UserWrite(of_lane(lane), fields, {}, {})])
    with RedisUsers(load_settings(None, {"redis": url})) as users:
        assert dict(users.erasures()) == {of_lane(lane): erased_at for lane in range(1, LANES)}
        assert users.segments() == {1: LANES - 1}
        with pytest.raises(NeedsRebuild, match="lane 0 has no place in Redis"):
            users.card(of_lane(1))


def test_a_rebuild_is_named_once(url: str) -> None:
    leases = RedisLeases(url)
    assert leases.take("segue:", "segue-2:")
    assert not leases.take("segue:", "segue-3:")
    assert leases.standing("segue:") == "segue-2:"
    leases.give_back("segue:")
    assert leases.standing("segue:") is None


def test_whoever_names_one_server_of_a_cluster_or_a_cluster_of_one_server_is_told_so(
    servers: LocalCluster, alone: str
) -> None:
    node = servers.nodes[0].url
    for call in (lambda: check_rights(node, "segue:"), RedisStore(node, 0).follow):
        with pytest.raises(Unusable, match=r"is a Redis Cluster.*begin the setting with redis\+cluster://"):
            call()
    no_cluster = alone.replace("redis://", "redis+cluster://")
    with closing(store_at(no_cluster, 0)) as store:
        for call in (lambda: check_rights(no_cluster, "segue:"), store.follow):
            with pytest.raises(Unusable, match=r"is one server.*begin the setting with redis://"):
                call()


def test_one_living_node_of_those_named_is_enough(servers: LocalCluster) -> None:
    only = address_of(servers.nodes[2].url)
    with closing(store_at(f"redis+cluster://localhost:1,{only}", 0)) as store:
        store.follow()


def test_nobody_there_is_told_without_the_password() -> None:
    url = "redis+cluster://segue:s3cret@localhost:1,localhost:2"
    nobody = pytest.raises(Unreachable, match="Redis at localhost:1,localhost:2 does not answer")
    with closing(store_at(url, 0)) as store, nobody as told:
        store.follow()
    assert "s3cret" not in str(told.value)


def on_every_node(servers: LocalCluster, *words: str) -> None:
    for node in servers.nodes:
        node.ask(*words)


def test_each_node_is_asked_for_the_rights_and_for_its_policy(servers: LocalCluster) -> None:
    rights = [f"+{right}" for right in (*documented_rights(), *documented_rights("cluster"))]
    on_every_node(servers, "ACL", "SETUSER", "worker", "reset", "on", ">s3cret", "~segue:*", *rights)
    url = servers.url.replace("://", "://worker:s3cret@")
    last = servers.nodes[2]
    try:
        trial = try_rights(url, "segue:")
        assert (trial.missing, trial.refusal) == ((), None)
        with closing(store_at(url, 0, lanes=LANES)) as store:
            assert store.save(None, b"p1", [at("21", 1.0)])
            assert [user.user_id for user in store.neighbours(SPACE, [1.0], 5, ())] == ["21"]
            assert store.clear(b"p1")
            assert store.drop_place(b"p1")
        last.ask("ACL", "SETUSER", "worker", "-hset")
        with pytest.raises(Unusable) as told:
            check_rights(url, "segue:")
        assert str(told.value) == (
            f"Redis at {address_of(last.url)} does not allow the user worker what Segue needs: HSET:"
            " ACL SETUSER worker +hset"
        )
        with pytest.raises(LoginRefused, match="refuses the password or user"):
            check_rights(url.replace("s3cret", "wrong"), "segue:")
        for right in documented_rights("cluster"):
            on_every_node(servers, "ACL", "SETUSER", "worker", f"-{right}")
            with pytest.raises(Unusable, match="forbids this login what Segue needs"):
                connect(url)
            on_every_node(servers, "ACL", "SETUSER", "worker", f"+{right}")

        last.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        with pytest.raises(BadStore, match=f"{address_of(last.url)} has maxmemory-policy allkeys-lru"):
            check_policy(servers.url)
    finally:
        last.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
        on_every_node(servers, "ACL", "DELUSER", "worker")


def test_a_store_finds_its_lane_on_the_node_that_has_taken_it(servers: LocalCluster, url: str) -> None:
    """As when an operator adds a node."""
    with closing(store_at(url, 0, lanes=LANES)) as store:
        assert store.save(None, b"p1", [at("21", 1.0)])
        owner = servers.shard_of(KEYS.place(0))
        here, there = servers.nodes[owner], servers.nodes[(owner + 1) % 3]
        servers.move_slot(KEYS.place(0), here, there)
        try:
            assert store.save(b"p1", b"p2", [at("21", 2.0)])
            assert store.load({"21": []}).place == b"p2"
            assert [user.angle for user in store.neighbours(SPACE, [1.0], 5, ())] == [2.0]
        finally:
            servers.move_slot(KEYS.place(0), there, here)


def test_a_cluster_has_only_database_0() -> None:
    for named in ("redis+cluster://db:6379/1", "redis+cluster://db?db=1"):
        with pytest.raises(BadSetting, match="a Redis Cluster has only database 0"):
            load_settings(None, {"redis": named})
    assert load_settings(None, {"redis": "redis+cluster://db:6379,other/0"}).redis_address
