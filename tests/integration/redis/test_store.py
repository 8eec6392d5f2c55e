"""The store in a real Redis: what is saved is read, and a save is whole or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from math import nextafter, pi

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from segue.services import RedisService
from streamer.in_memory import MemoryRedis, MemoryStore
from streamer.interfaces import lane_errors
from streamer.interfaces.lane_errors import TooMuchToLoad, Torn
from streamer.interfaces.lane_interfaces import IndexWrite, LoadedOrders, Neighbour, StoredUser, UserWrite
from streamer.place.place_marks import Moved, encode_mark
from streamer.redis.redis_store import RedisStore
from streamer.segment.neighbours import AngleIndex
from streamer.user.user_state import Ask
from tests.support.strategies.angles import angles, user_ids
from tests.support.strategies.writes import DUE, asks, orders, saves
from tests.support.workers.redis_writes import SPACE, StartRedis, at, nearest, write


@pytest.fixture
def store(redis_server: RedisService, redis_prefix: str) -> Iterator[RedisStore]:
    store = RedisStore(redis_server.url, 0, redis_prefix)
    yield store
    store.close()


@pytest.fixture
def client(redis_server: RedisService) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_server.url) as client:
        yield client


def test_what_is_saved_is_read(store: RedisStore) -> None:
    assert store.follow() is None
    assert store.load({"7": ["1"]}).users == {"7": StoredUser(None, {"1": None}, listed=False)}

    of_7 = replace(write("7", {"state": b"{}"}, {"1": b"one", "2": b"two"}), swept=1)
    saved = store.save(None, b"p1", [of_7, write("8")])

    assert saved
    assert store.follow() == b"p1"
    loaded = store.load({"7": ["2", "3"], "8": []})
    assert loaded.place == b"p1"
    assert loaded.users == {
        "7": StoredUser(b"{}", {"2": b"two", "3": None}, listed=True),
        "8": StoredUser(None, {}, listed=False),
    }
    assert store.load_orders(["7", "8"]) == LoadedOrders(b"p1", {"7": {"1": b"one", "2": b"two"}, "8": {}})
    assert store.load({}).place == b"p1"
    assert store.load_orders([]) == LoadedOrders(b"p1", {})


def test_the_place_is_read_behind_what_is_of_it(
    store: RedisStore, client: redis.Redis, redis_prefix: str
) -> None:
    """A place that is read before the load would miss a save in between that is lost again."""
    store.follow()  # connects
    with client.monitor() as monitor:  # type: ignore[no-untyped-call]  # of redis-py
        store.load_orders(["7", "8"])
        store.load_ends("7", {Ask("a"): 1})
        told = [monitor.next_command()["command"] for _ in range(6)]
    assert [command.split()[0] for command in told] == [
        "HGETALL",
        "HGETALL",
        "MGET",
        "ZRANGE",
        "EXISTS",
        "MGET",
    ]
    keys = f"{redis_prefix}place:0 {redis_prefix}saves:0"
    assert {command for command in told if command.startswith("MGET")} == {f"MGET {keys}"}


@pytest.mark.parametrize("kind", ["user", "orders"])
def test_a_save_writes_nothing_if_a_key_that_was_read_is_gone(
    store: RedisStore, client: redis.Redis, redis_prefix: str, kind: str
) -> None:
    first = UserWrite("7", {"state": b"{}"}, {"1": b"one"}, {}, index=IndexWrite(anew=True, add=["a"]))
    assert store.save(None, b"p1", [first])
    second = UserWrite(
        "7", {"state": b"[]"}, {}, {}, index=IndexWrite(existing=True, add=["b"]), existing=True
    )
    client.delete(f"{redis_prefix}{kind}:7")

    with pytest.raises(Torn, match="no longer has all keys"):
        store.save(b"p1", b"p2", [second])

    assert client.exists(f"{redis_prefix}user:7", f"{redis_prefix}orders:7") == 1
    with pytest.raises(Torn) as torn:
        store.follow()
    assert torn.value.place == b"p1"
    assert store.replace_torn(torn.value, b"p2")
    assert store.save(b"p2", b"p3", [first])
    assert store.save(b"p3", b"p4", [second])


def test_several_users_are_read_up_to_a_bound_and_one_whatever_the_size(
    store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = b"x" * 600
    assert store.save(None, b"p1", [write("7", {"state": large}, {"1": large}), write("8", {"state": large})])
    monkeypatch.setattr(lane_errors, "MAX_LOAD_BYTES", 1_799)
    with pytest.raises(TooMuchToLoad, match=r"take 1,800 bytes"):
        store.load({"7": ["1"], "8": []})
    assert store.load({"7": [], "8": []}).users["8"].state == large
    monkeypatch.setattr(lane_errors, "MAX_LOAD_BYTES", 10)
    assert store.load({"7": ["1"]}).users == {"7": StoredUser(large, {"1": large}, listed=False)}


def test_a_user_of_many_named_orders_is_read(store: RedisStore) -> None:
    many: dict[str, bytes | None] = {f"{n}": b"%d" % n for n in range(9_000)}
    assert store.save(None, b"p1", [write("7", {"state": b"{}"}, many)])
    assert store.load({"7": many}).users == {"7": StoredUser(b"{}", many, listed=False)}


def test_clearing_leaves_the_places_and_other_prefixes(
    redis_server: RedisService, client: redis.Redis, redis_prefix: str
) -> None:
    # As a pattern, this prefix would match the other one too.
    mine, other = f"{redis_prefix}?:", f"{redis_prefix}x:"
    stores = [
        RedisStore(redis_server.url, 0, mine),
        RedisStore(redis_server.url, 1, mine),
        RedisStore(redis_server.url, 0, other),
    ]
    try:
        for lane, store in enumerate(stores):
            assert store.save(None, b"p1", [at(f"{lane}-{n}", 0.5) for n in range(1_200)])
        assert not stores[0].clear(b"p0")
        assert sum(1 for _ in client.scan_iter(f"{mine[:-2]}\\?:user:*")) == 2_400
        assert stores[0].clear(b"p1")
    finally:
        for store in stores:
            store.close()

    assert sorted(client.scan_iter(f"{redis_prefix}\\?:*")) == [
        f"{mine}{kind}:{n}".encode() for kind in ("place", "saves") for n in (0, 1)
    ]
    assert sum(1 for _ in client.scan_iter(f"{other}*")) == 1_204


def test_a_place_is_dropped_by_its_own_mark_alone(store: RedisStore) -> None:
    store.save(None, b"mark", [])
    assert not store.drop_place(b"another")
    assert store.follow() == b"mark"
    assert store.drop_place(b"mark")
    assert store.follow() is None


def test_plain_fields_are_read_with_one_command(
    store: RedisStore, client: redis.Redis, redis_prefix: str
) -> None:
    store.save(None, b"p1", [write("7", {"segment": "3", "provisional": "0"}, {"1": b"one"})])

    assert client.hget(f"{redis_prefix}user:7", "segment") == b"3"
    assert client.hgetall(f"{redis_prefix}user:7") == {b"segment": b"3", b"provisional": b"0", b"o:1": b"one"}


def test_none_deletes_a_field_and_an_order(store: RedisStore, client: redis.Redis, redis_prefix: str) -> None:
    store.save(None, b"p1", [write("7", {"segment": "3", "state": "s"}, {"1": b"one", "2": b"two"})])
    store.save(b"p1", b"p2", [write("7", {"segment": None}, {"1": None, "9": None})])

    assert client.hgetall(f"{redis_prefix}user:7") == {b"state": b"s", b"o:2": b"two"}
    store.save(b"p2", b"p3", [write("7", {"state": None}, {"2": None})])
    assert not client.exists(f"{redis_prefix}user:7")


@pytest.mark.parametrize(("stored", "expected"), [(None, b"p1"), (b"p1", None), (b"p1", b"p"), (b"p1", b"")])
def test_a_save_from_another_place_writes_nothing(
    store: RedisStore, client: redis.Redis, redis_prefix: str, stored: bytes | None, expected: bytes | None
) -> None:
    if stored is not None:
        client.set(f"{redis_prefix}place:0", stored)

    assert not store.save(expected, b"p2", [write("7", {"state": "s"}, angles={SPACE: 1.0})])

    assert store.follow() == stored
    assert list(client.scan_iter(f"{redis_prefix}*")) == (
        [f"{redis_prefix}place:0".encode()] if stored else []
    )


def test_a_store_follows_a_lane_that_has_moved_when_it_asks_for_the_place(
    store: RedisStore, client: redis.Redis, redis_prefix: str
) -> None:
    first, second = f"{redis_prefix}2:", f"{redis_prefix}3:"
    assert store.save(None, encode_mark(Moved(first)), [])
    client.set(f"{first}place:0", encode_mark(Moved(second)))
    client.set(f"{second}place:0", b"p1")

    assert store.load({}).place == encode_mark(Moved(first))  # whoever works on the lane sees another place
    assert not store.save(b"p1", b"p2", [write("7", {"state": "s"})])

    assert store.follow() == b"p1"
    assert store.prefix == second
    assert store.save(b"p1", b"p2", [write("7", {"state": "s"})])
    assert client.hget(f"{second}user:7", "state") == b"s"

    client.set(f"{first}place:0", b"p0")  # Redis has lost the second move, and leads back
    assert store.follow() == b"p0"
    assert store.prefix == first


def test_a_store_goes_back_with_a_redis_that_lost_the_move(
    store: RedisStore, client: redis.Redis, redis_prefix: str
) -> None:
    """As after a failover: a store under the new prefix goes on where a worker that starts now does."""
    there = f"{redis_prefix}2:"
    assert store.save(None, b"before", [])
    former = client.get(f"{redis_prefix}place:0"), client.get(f"{redis_prefix}saves:0")
    assert store.save(b"before", encode_mark(Moved(there)), [])
    client.set(f"{there}place:0", b"p1")
    assert store.follow() == b"p1"

    for name, value in zip(("place", "saves"), former, strict=True):
        assert value is not None
        client.set(f"{redis_prefix}{name}:0", value)

    assert (store.follow(), store.prefix) == (b"before", redis_prefix)
    assert store.save(b"before", b"p2", [write("7", {"state": "s"})])
    assert client.hget(f"{redis_prefix}user:7", "state") == b"s"


def test_lanes_have_places_of_their_own(
    redis_server: RedisService, store: RedisStore, redis_prefix: str
) -> None:
    other = RedisStore(redis_server.url, 1, redis_prefix)
    assert store.save(None, b"a", [])
    assert other.save(None, b"b", [])
    assert (store.follow(), other.follow()) == (b"a", b"b")
    other.close()


def test_100_000_orders_in_one_save(store: RedisStore) -> None:
    many = {f"order-{i}": b'{"i":%d}' % i for i in range(100_000)}

    assert store.save(None, b"p1", [write("7", {}, dict(many))])
    assert store.load_orders(["7"]).users == {"7": many}
    # An event reads the order that it names, and no other.
    assert store.load({"7": ["order-99999"]}).users["7"].orders == {"order-99999": b'{"i":99999}'}

    assert store.save(b"p1", b"p2", [write("7", {}, dict.fromkeys(many))])
    assert store.load_orders(["7"]).users == {"7": {}}


def test_a_batch_of_many_users_and_angles(store: RedisStore) -> None:
    users = [at(f"{i:05}", i / 10_000) for i in range(10_000)]

    assert store.save(None, b"p1", users)
    assert [n.user_id for n in nearest(store, [0.99995], 3)[0]] == ["09999", "09998", "09997"]
    assert store.save(b"p1", b"p2", [at(user.user_id, None) for user in users[1:]])
    assert store.neighbours(SPACE, [0.5], 3, ()) == [Neighbour("00000", 0.0, 3)]


def test_angles_keep_every_bit(store: RedisStore) -> None:
    exact = [pi, nextafter(pi, 0), nextafter(-pi, 0), 0.1 + 0.2, 1 / 3, 5e-324, 1e-17, 0.0]
    store.save(None, b"p1", [at(str(i), angle) for i, angle in enumerate(exact)])

    found = store.neighbours(SPACE, [0.0], len(exact), ())

    assert {n.user_id: n.angle for n in found} == {str(i): angle for i, angle in enumerate(exact)}


def test_neighbours_name_their_segments_and_leave_out_the_excluded(store: RedisStore) -> None:
    store.save(None, b"p1", [at("a", 0.1), write("b", {"state": "s"}, angles={SPACE: 0.2}), at("c", 0.3)])

    assert nearest(store, [0.0, 0.3], 2, ["a"]) == [
        [Neighbour("b", 0.2, None), Neighbour("c", 0.3, 3)],
        [Neighbour("c", 0.3, 3), Neighbour("b", 0.2, None)],
    ]
    assert store.neighbours(SPACE, [], 2, ()) == []
    assert store.neighbours("another space", [1.0, 1.0], 2, ()) == []


def test_a_user_near_several_angles_is_given_once(store: RedisStore) -> None:
    long_id = "é" * 200  # MessagePack has several forms of text, by its length
    store.save(None, b"p1", [at(long_id, 0.1), at("b", 0.2), at("c", 3.0)])

    found = store.neighbours(SPACE, [0.0, 0.15, 0.3, 0.15], 2, ())

    assert sorted(found, key=lambda user: user.angle) == [
        Neighbour(long_id, 0.1, 3),
        Neighbour("b", 0.2, 3),
        Neighbour("c", 3.0, 3),
    ]


def test_the_nearest_lie_across_the_cut(store: RedisStore) -> None:
    store.save(None, b"p1", [at("a", 3.0), at("b", -3.0), at("c", 2.0), at("d", -2.0), at("e", -3.1)])

    found = nearest(store, [3.1, -3.1], 3)

    # From 3.1: e 0.083, a 0.1, b 0.183. From -3.1: e 0, b 0.1, a 0.183.
    assert [[user.user_id for user in near] for near in found] == [["e", "a", "b"], ["e", "b", "a"]]
    assert [nearest(store, [towards], 1)[0][0].user_id for towards in (3.14, -3.14)] == ["e", "e"]


def test_small_groups_and_many_left_out(store: RedisStore) -> None:
    placed = {f"{i}": (i // 3) * 0.01 for i in range(300)}
    exclude = [f"{i}" for i in range(300) if i % 7]
    index = AngleIndex()
    for user_id, angle in placed.items():
        index.put(user_id, angle)
    store.save(None, b"p1", [at(user_id, angle) for user_id, angle in placed.items()])
    towards = [-0.5, 0.0, 0.005, 0.5, 0.505, 0.99, 2.0]

    found = nearest(store, towards, 6, exclude)

    assert [[(user.user_id, user.angle) for user in near] for near in found] == [
        index.nearest(angle, 6, exclude) for angle in towards
    ]


@pytest.mark.parametrize("n", [1, 5, 1_500])
@pytest.mark.parametrize("towards", [0.5, 1.0, 1.5, -3.1])
def test_thousands_share_an_angle(store: RedisStore, n: int, towards: float) -> None:
    tied = {f"{i}": 1.0 for i in range(3_000)} | {"z": 0.9, "y": 1.1, "x": 0.9}
    index = AngleIndex()
    for user_id, angle in tied.items():
        index.put(user_id, angle)
    exclude = {f"{i}" for i in range(0, 3_000, 2)}
    store.save(None, b"p1", [at(user_id, angle) for user_id, angle in tied.items()])

    (found,) = nearest(store, [towards], n, exclude)

    assert [(user.user_id, user.angle) for user in found] == index.nearest(towards, n, exclude)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    history=st.lists(saves, min_size=1, max_size=4),
    towards=st.lists(angles, min_size=1, max_size=4),
    n=st.integers(1, 8),
    exclude=st.sets(user_ids, max_size=6),
)
def test_redis_gives_what_memory_gives(
    redis_server: RedisService,
    redis_prefix: str,
    history: Sequence[Sequence[UserWrite]],
    towards: list[float],
    n: int,
    exclude: set[str],
) -> None:
    with redis.Redis.from_url(redis_server.url) as client:
        for key in client.scan_iter(f"{redis_prefix}*"):
            client.delete(key)
    real, memory = RedisStore(redis_server.url, 0, redis_prefix), MemoryStore(MemoryRedis(), 0)
    place = None
    for step, writes in enumerate(history):
        following = f"p{step}".encode()
        for store in (real, memory):
            assert not store.save(b"another", following, writes)
            assert store.save(place, following, writes)
        place = following
    touched = {write.user_id for writes in history for write in writes} | {"nobody"}

    assert real.load(dict.fromkeys(touched, orders)) == memory.load(dict.fromkeys(touched, orders))
    assert real.load_orders(touched) == memory.load_orders(touched)
    for user_id in touched:
        assert real.load_ends(user_id, asks) == memory.load_ends(user_id, asks)
    assert real.places([1, 0]) == memory.places([1, 0])
    for sweep, most in ((1, 100), (2, 3), (3, 100)):
        assert real.unswept(sweep, most) == memory.unswept(sweep, most)
    for day, most in ((DUE, 100), (DUE, 2), (date.max, 100)):
        assert real.due(day, most) == memory.due(day, most)
    for space in ("s1", "s2"):
        assert nearest(real, towards, n, exclude, space) == nearest(memory, towards, n, exclude, space)
    real.close()


def test_a_user_costs_the_same_whatever_share_of_the_index_a_batch_holds(fresh_redis: StartRedis) -> None:
    server = fresh_redis()
    store = RedisStore(server.url, 0)
    users = {f"{i}": (i * 0.618) % 6.0 - 3.0 for i in range(10_000)}
    batch = list(users)[:1_000]
    with redis.Redis.from_url(server.url) as client:

        def busy_us(indexed: Iterable[str]) -> int:
            client.flushdb()
            store.save(None, b"p1", [at(user_id, users[user_id]) for user_id in indexed])
            client.config_resetstat()
            store.neighbours(SPACE, [users[user_id] for user_id in batch], 5, batch)
            return int(client.info("commandstats")["cmdstat_evalsha"]["usec"])

        busy_us(batch)  # the script becomes known
        assert busy_us(batch) < 4 * busy_us(users)
    store.close()
