"""The copy of a ledger on a real server, and on a cluster of three nodes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
import redis

from segue.services import LocalRedis
from segue.triggers.redis_copy import RedisCopy
from tests.support.servers.acl import login
from tests.support.servers.aof import cut_after
from tests.support.servers.redis_cluster import LocalCluster

# With "everysec" Redis delays its writes to the file by up to 2 s while the disk is slow.
WRITTEN = {"appendfsync": "always"}


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    with LocalCluster(replicas=0) as servers:
        yield servers.url


@pytest.fixture(params=["one server", "a cluster"])
def copy(request: pytest.FixtureRequest, redis_prefix: str) -> Iterator[RedisCopy]:
    if request.param == "a cluster":
        url, prefix = request.getfixturevalue("cluster"), redis_prefix
        with closing(RedisCopy(url, 3, prefix)) as made:
            yield made
    else:  # with no more rights than docs/redis.md asks for
        server = request.getfixturevalue("redis_server")
        with login(server.url, redis_prefix) as url, closing(RedisCopy(url, 3, redis_prefix)) as made:
            yield made


def test_a_save_is_whole_and_only_after_the_mark_that_it_expects(copy: RedisCopy) -> None:
    assert copy.read([b"/7"]) == (None, [None])
    many = {f"t/{n}".encode(): b"%d" % n for n in range(10_000)}
    assert copy.save(None, b"m1", {b"/7": b"a", b"place": b"p", **many})
    assert not copy.save(None, b"m2", {b"/7": b"b"})
    assert not copy.save(b"m0", b"m2", {b"/7": b"b"})
    assert copy.read([b"/7", b"/8", b"t/9999"]) == (b"m1", [b"a", None, b"9999"])
    assert copy.save(b"m1", b"m2", {b"/7": None, b"/8": b"b", **dict.fromkeys(many, None)})
    assert copy.read([b"/7", b"/8", b"t/9999", b"place"]) == (b"m2", [None, b"b", None, b"p"])
    copy.empty()
    assert copy.read([b"/8"]) == (None, [None])
    assert copy.save(None, b"m3", {})
    assert copy.read([b"/8"]) == (b"m3", [None])


def test_a_copy_without_its_mark_is_none(copy: RedisCopy) -> None:
    copy.save(None, b"m1", {b"/7": b"a"})
    with closing(copy._redis) as client:
        client.hdel(copy._hash, "mark")
        assert copy.read([b"/7"])[0] is None
        assert not copy.save(b"m1", b"m2", {})
        assert not copy.save(None, b"m2", {})
        copy.empty()
        copy.save(None, b"m1", {b"/7": b"a"})
        client.unlink(copy._saves)
        assert copy.read([b"/7"])[0] is None
        assert not copy.save(b"m1", b"m2", {})


@pytest.mark.parametrize("word", [b"INCR", b"/7"])
def test_a_save_that_was_lost_and_half_comes_back_is_seen(word: bytes) -> None:
    """As of docs/redis.md: the file is cut inside a save; the beginning of it runs at a later restart."""
    with LocalRedis(repair=False, options=WRITTEN) as server:
        with closing(RedisCopy(server.url, 0, "segue:")) as copy:
            assert copy.save(None, b"m1", {b"/6": b"a"})
            assert copy.save(b"m1", b"m2", {b"/7": b"lost"})
        server.kill()
        cut_after(server.data, word)
        server.start()
        with closing(RedisCopy(server.url, 0, "segue:")) as copy:
            assert copy.read([b"/6", b"/7"]) == (b"m1", [b"a", None])
            assert copy.save(b"m1", b"m3", {b"/8": b"b"})
        server.restart()
        with closing(RedisCopy(server.url, 0, "segue:")) as copy:
            assert copy.read([])[0] is None
            copy.empty()
            assert copy.save(None, b"m4", {b"/7": b"c"})
        server.restart()
        with closing(RedisCopy(server.url, 0, "segue:")) as copy:
            assert copy.read([b"/7"]) == (b"m4", [b"c"])
        with redis.Redis.from_url(server.url) as client:
            assert len(list(client.scan_iter("*"))) == 2
