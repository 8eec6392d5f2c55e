"""The store on Redis Cluster: a node that refuses a command over two slots, as every cluster does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import BadSetting, Unreachable
from schemas.partitioner import partition_of
from segue.services import LocalRedis
from streamer.in_memory import MemoryRedis, MemoryStore
from streamer.interfaces.lane_interfaces import UserWrite
from streamer.place.redis_keys import Keys
from streamer.redis.cluster_store import ClusterStore
from tests.support.servers.services import eventually
from tests.support.strategies.angles import angles, user_ids
from tests.support.strategies.writes import DUE, asks, orders, saves
from tests.support.workers.redis_writes import nearest

LANES = 2
SLOTS = 16_384


def lane_of(user_id: str) -> int:
    return partition_of(user_id, LANES)


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """A cluster of one node, which has every slot."""
    with LocalRedis(options={"cluster-enabled": "yes"}) as server:
        with redis.Redis.from_url(server.url) as client:
            client.execute_command("CLUSTER ADDSLOTS", *range(SLOTS))
            eventually(lambda: client.execute_command("CLUSTER INFO")["cluster_state"] == "ok")
        yield server.url


@pytest.fixture
def client(cluster: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(cluster) as client:
        client.flushall()
        yield client


def keyslot(client: redis.Redis, key: str) -> int:
    return int(client.execute_command("CLUSTER KEYSLOT", key))  # type: ignore[no-untyped-call]  # of redis-py


def test_a_lanes_keys_share_a_hash_tag(client: redis.Redis) -> None:
    keys = Keys(lane_of=lane_of)
    # murmur2 puts user 21 into partition 0 of 2, as into 0 of 4 (see schemas.partitioner).
    assert keys.user("21") == "segue:user:{0}:21"
    assert keys.place(0) == "segue:place:{0}"
    assert keys.angles("s1") == "segue:angles:s1"
    # A brace in an id comes too late to be a tag.
    assert keys.user("{21}") == f"segue:user:{{{lane_of('{21}')}}}:{{21}}"

    slots = [keyslot(client, key) for key in (keys.place(0), keys.user("21"), "0")]
    assert len(set(slots)) == 1


def test_a_prefix_with_a_tag_of_its_own_is_refused() -> None:
    with pytest.raises(BadSetting, match=r"setting redis_prefix is 'a\{b\}:': leave out the braces"):
        Keys("a{b}:", lane_of)


def test_a_refused_save_leaves_the_index_alone(cluster: str, client: redis.Redis) -> None:
    store = ClusterStore(cluster, 0, lane_of)
    assert store.save(None, b"p1", [UserWrite("21", {"segment": "3"}, {}, {"s1": 1.0})])
    assert not store.save(None, b"p2", [UserWrite("21", {"segment": "4"}, {}, {"s1": 2.0})])

    assert client.zrange("segue:angles:s1", 0, -1, withscores=True) == [(b"21", 1.0)]
    assert client.hget("segue:user:{0}:21", "segment") == b"3"
    store.close()


@settings(max_examples=25)
@given(
    history=st.lists(saves, min_size=1, max_size=3),
    towards=st.lists(angles, min_size=1, max_size=4),
    n=st.integers(1, 8),
    exclude=st.sets(user_ids, max_size=6),
)
def test_a_cluster_gives_what_memory_gives(
    cluster: str, history: Sequence[Sequence[UserWrite]], towards: list[float], n: int, exclude: set[str]
) -> None:
    with redis.Redis.from_url(cluster) as client:
        client.flushall()
    redis_in_memory = MemoryRedis()
    real = [ClusterStore(cluster, lane, lane_of) for lane in range(LANES)]
    memory = [MemoryStore(redis_in_memory, lane) for lane in range(LANES)]
    for step, writes in enumerate(history):
        for lane in range(LANES):
            ours = [write for write in writes if lane_of(write.user_id) == lane]
            for store in (real[lane], memory[lane]):
                assert store.save(store.follow(), f"p{step}".encode(), ours)
    assert real[0].places(range(LANES)) == memory[0].places(range(LANES))
    touched = {write.user_id for writes in history for write in writes}
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
        real[lane].close()


def test_no_cluster_is_told_without_the_password() -> None:
    with pytest.raises(Unreachable, match="Redis at localhost:1 does not answer") as told:
        ClusterStore("redis://segue:s3cret@localhost:1", 0, lane_of)
    assert "s3cret" not in str(told.value)


def test_clearing_takes_the_users_of_all_lanes(cluster: str, client: redis.Redis) -> None:
    stores = [ClusterStore(cluster, lane, lane_of) for lane in range(LANES)]
    try:
        for lane, store in enumerate(stores):
            writes = [
                UserWrite(u, {"segment": "1"}, {}, {"s1": 0.5}, swept=1, due=DUE)
                for u in "123456789"
                if lane_of(u) == lane
            ]
            assert writes
            assert store.save(None, b"p1", writes)
        assert not stores[0].clear(b"p0")
        assert stores[0].clear(b"p1")
    finally:
        for store in stores:
            store.close()

    assert sorted(client.scan_iter("*")) == [
        b"segue:place:{0}",
        b"segue:place:{1}",
        b"segue:saves:{0}",
        b"segue:saves:{1}",
    ]
