"""What a login may do in Redis is tried as a worker does it, on a real Redis with real ACLs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from urllib.parse import urlsplit

import pytest
import redis

from schemas.errors import LoginRefused, Unusable
from segue.services import LocalRedis
from streamer.redis.redis_rights import check_rights, try_rights
from streamer.redis.redis_store import RedisStore
from tests.support.servers.acl import documented_rights, login
from tests.support.servers.services import eventually, start_server
from tests.support.workers.redis_writes import SPACE, at

PREFIX = "segue:"
StartRedis = Callable[..., LocalRedis]


@pytest.fixture(scope="module")
def server() -> Iterator[LocalRedis]:
    with ExitStack() as stack:
        yield start_server(stack, LocalRedis())


@pytest.fixture
def admin(server: LocalRedis) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(server.url) as client:
        yield client
        client.flushall()


def user_of(url: str) -> str:
    return str(urlsplit(url).username)


def change_right(admin: redis.Redis, user: str, right: str) -> None:
    """Give or take a right of the user: ``+hset``, ``-hset``."""
    admin.execute_command("ACL", "SETUSER", user, right)  # type: ignore[no-untyped-call]  # of redis-py


def test_the_documented_rights_are_enough_and_nothing_is_left(server: LocalRedis, admin: redis.Redis) -> None:
    with login(server.url, PREFIX) as url:
        trial = try_rights(url, PREFIX)
        assert (trial.missing, trial.refusal, trial.problem) == ((), None, None)
        assert admin.keys("*") == []
        with closing(RedisStore(url, 0, PREFIX)) as store:
            assert store.save(None, b"p1", [at("7", 1.0)])
            assert store.neighbours(SPACE, [1.0], 5, ())[0].user_id == "7"
            assert store.clear(b"p1")
            assert store.drop_place(b"p1")


@pytest.mark.parametrize("right", [right for right in documented_rights() if right != "info"])
def test_a_right_that_is_missing_is_named_with_its_remedy(
    right: str, server: LocalRedis, admin: redis.Redis
) -> None:
    with login(server.url, PREFIX, without=right) as url:
        with pytest.raises(Unusable) as told:
            check_rights(url, PREFIX)
        name, words = user_of(url), right.replace("|", " ").upper()
        assert str(told.value) == (
            f"Redis at 127.0.0.1:{server.port} does not allow the user {name} what Segue needs: {words}:"
            f" ACL SETUSER {name} +{right}"
        )
        change_right(admin, name, f"+{right}")
        check_rights(url, PREFIX)
    assert [
        key for key in admin.keys("*") if admin.pttl(key) < 0
    ] == []  # what could not be deleted goes by itself


def test_keys_that_are_missing_are_named_once(server: LocalRedis) -> None:
    with login(server.url, "other:") as url:
        trial = try_rights(url, PREFIX)
        assert trial.fix == f"ACL SETUSER {user_of(url)} ~segue:*"


def test_without_info_a_worker_can_work(server: LocalRedis) -> None:
    with login(server.url, PREFIX, without="info") as url:
        trial = try_rights(url, PREFIX)
        assert trial.problem is None
        assert trial.fix == f"ACL SETUSER {user_of(url)} +info"


def test_a_right_that_is_taken_away_later_is_told_in_one_sentence_also_of_a_script(
    server: LocalRedis, admin: redis.Redis
) -> None:
    with login(server.url, PREFIX) as url, closing(RedisStore(url, 0, PREFIX)) as store:
        assert store.save(None, b"p1", [at("7", 1.0)])
        for right in ("hset", "evalsha"):
            change_right(admin, user_of(url), f"-{right}")
            with pytest.raises(Unusable, match=r"forbids this login what Segue needs .*segue doctor"):
                store.save(b"p1", b"p2", [at("8", 1.0)])


def test_a_wrong_password_is_no_missing_right(server: LocalRedis) -> None:
    with login(server.url, PREFIX) as url, pytest.raises(LoginRefused, match="refuses the password or user"):
        check_rights(url.replace("s3cret", "wrong"), PREFIX)


def test_one_that_takes_no_writes_says_so_and_is_the_lanes_to_wait_for(
    server: LocalRedis, admin: redis.Redis
) -> None:
    admin.config_set("maxmemory", "1mb")
    try:
        trial = try_rights(server.url, PREFIX)
    finally:
        admin.config_set("maxmemory", "0")
    assert trial.problem is None
    assert "command not allowed when used memory" in str(trial.refusal)


def test_a_redis_without_a_command_is_told_from_a_missing_right(fresh_redis: StartRedis) -> None:
    server = fresh_redis(options={"rename-command": 'EVALSHA ""'})
    with pytest.raises(
        Unusable, match=r"does not know EVALSHA: Segue needs Redis 6.2 or newer, with scripts"
    ):
        check_rights(server.url, PREFIX)


def test_a_cluster_is_not_one_server(fresh_redis: StartRedis) -> None:
    """Whether it serves no slot, or all of them."""
    server = fresh_redis(options={"cluster-enabled": "yes"})
    with redis.Redis.from_url(server.url) as client:
        with pytest.raises(Unusable, match=r"is a Redis Cluster, .* one server"):
            check_rights(server.url, PREFIX)
        client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        eventually(lambda: b"cluster_state:ok" in client.execute_command("CLUSTER", "INFO"))
        with pytest.raises(Unusable, match=r"is a Redis Cluster, .* one server"):
            check_rights(server.url, PREFIX)
