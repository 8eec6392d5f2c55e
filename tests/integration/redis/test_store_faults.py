"""A Redis that is set up wrongly, goes away, hangs or is full."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
import redis

from schemas.errors import BadStore, Unreachable
from streamer.redis.redis_client import check_policy
from streamer.redis.redis_store import RedisStore
from tests.support.servers.services import eventually
from tests.support.workers.redis_writes import SPACE, StartRedis, at, nearest, write


def test_a_redis_that_evicts_is_refused(fresh_redis: StartRedis) -> None:
    server = fresh_redis(options={"maxmemory-policy": "allkeys-lru"})
    with pytest.raises(BadStore, match=r"maxmemory-policy allkeys-lru.*: set it to noeviction"):
        check_policy(server.url)
    with redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory-policy", "noeviction")
    assert check_policy(server.url) is None


def test_the_policy_is_told_without_config_and_its_silence_is_a_warning(fresh_redis: StartRedis) -> None:
    server = fresh_redis()
    address = urlsplit(server.url).netloc
    with redis.Redis.from_url(server.url) as admin:
        admin.acl_setuser(
            "managed", enabled=True, passwords=["+s3cret"], keys="*", commands=["+@all", "-config"]
        )
        admin.acl_setuser(
            "silent", enabled=True, passwords=["+s3cret"], keys="*", commands=["+@all", "-info"]
        )
    managed = f"redis://managed:s3cret@{address}"
    with (
        redis.Redis.from_url(managed) as client,
        pytest.raises(redis.exceptions.NoPermissionError),
    ):
        client.config_get("maxmemory-policy")
    assert check_policy(managed) is None
    warning = check_policy(f"redis://silent:s3cret@{address}")
    assert warning is not None
    assert (
        f"Redis at {address} does not show its maxmemory-policy: make sure that it is noeviction" in warning
    )


def test_nobody_there_is_told_with_the_address_and_without_the_password(fresh_redis: StartRedis) -> None:
    server = fresh_redis()
    address = urlsplit(server.url).netloc
    with redis.Redis.from_url(server.url) as admin:
        admin.acl_setuser("segue", enabled=True, passwords=["+right"], keys="*", commands=["+@all"])
    refused = RedisStore(f"redis://segue:s3cret@{address}/0", 0)
    with pytest.raises(Unreachable, match=f"Redis at {address} refuses the password") as told:
        refused.follow()
    assert "s3cret" not in str(told.value)
    server.kill()
    for url in (f"redis://segue:s3cret@{address}/0", f"redis://{address}?password=s3cret"):
        store = RedisStore(url, 0)
        for call in every_call(store):
            with pytest.raises(Unreachable, match=f"Redis at {address} does not answer") as gone:
                call()
            assert "s3cret" not in str(gone.value)
        store.close()
    refused.close()


def every_call(store: RedisStore) -> list[Callable[[], object]]:
    return [
        store.follow,
        lambda: store.load({"7": ["1"]}),
        lambda: store.load_orders(["7"]),
        lambda: store.neighbours(SPACE, [1.0], 5, ()),
        lambda: store.save(None, b"p1", [at("7", 1.0)]),
    ]


def test_a_redis_that_comes_back_is_used_again(fresh_redis: StartRedis) -> None:
    server = fresh_redis(options={"appendfsync": "always"})
    store = RedisStore(server.url, 0)
    assert store.save(None, b"p1", [at("7", 1.0)])
    server.kill()
    with pytest.raises(Unreachable):
        store.follow()
    server.start()

    # It has forgotten the scripts, but not what was saved.
    assert eventually(lambda: answering(store.follow)) == b"p1"
    assert store.save(b"p1", b"p2", [at("8", 1.5)])
    assert [n.user_id for n in nearest(store, [1.0], 5)[0]] == ["7", "8"]
    store.close()


def test_a_redis_that_hangs_is_given_up_in_time(fresh_redis: StartRedis) -> None:
    server = fresh_redis()
    store = RedisStore(server.url, 0, timeout_s=0.2)
    assert store.save(None, b"p1", [])
    server.pause()
    with pytest.raises(Unreachable, match="does not answer"):
        store.save(b"p1", b"p2", [])
    server.resume()

    # The save that nobody waited for may still have been done; a save from the same place then is not.
    eventually(lambda: answering(store.follow))
    done = store.follow() == b"p2"
    assert store.save(b"p1", b"p3", []) is not done
    store.close()


def answering(call: Callable[[], bytes | None]) -> bytes | None:
    try:
        return call()
    except Unreachable:
        return None


def test_a_full_redis_refuses_a_save_whole(fresh_redis: StartRedis) -> None:
    server = fresh_redis()
    store = RedisStore(server.url, 0)
    assert store.save(None, b"p1", [at("7", 1.0)])
    with redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory", "1mb")
        before = client.dbsize()
        with pytest.raises(Unreachable, match="command not allowed when used memory"):
            store.save(b"p1", b"p2", [at("8", 1.0), write("7", {"segment": None}), at("7", None)])
        assert client.dbsize() == before
        assert client.hget("segue:user:7", "segment") == b"3"
        assert store.follow() == b"p1"
        client.config_set("maxmemory", "0")
    assert store.save(b"p1", b"p2", [at("8", 1.0)])
    store.close()
