"""What `segue rebuild --drop` deletes, in a real Redis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
import redis

from segue.config.settings import Settings
from segue.refill import rebuild_lease
from segue.refill.rebuild_steps import take
from segue.services import RedisService
from streamer.place.place_marks import Moved, encode_mark
from streamer.redis.redis_store import RedisStore
from streamer.refill.rebuild_lane import LaneInUse
from tests.support.workers.redis_writes import at

IDS = ("7", "a b", "a segue-2:user:7", "x\n{new}user:7\ny", "it's", '"', "*", "user:7", "place:0", "é")


@pytest.fixture(autouse=True)
def two_lanes(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Kafka would say."""
    monkeypatch.setattr(rebuild_lease, "lanes_of", lambda _: 2)


@pytest.fixture
def client(redis_server: RedisService) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_server.url) as client:
        yield client


def fill(url: str, prefix: str, ids: tuple[str, ...], lanes: int = 2) -> None:
    for lane in range(lanes):
        with closing(RedisStore(url, lane, prefix)) as store:
            assert store.save(None, b"p1", [at(user_id, 0.5) for user_id in ids[lane::lanes]])


def test_the_old_prefix_is_deleted_and_nothing_else(
    client: redis.Redis, redis_server: RedisService, redis_prefix: str
) -> None:
    old, new, below = redis_prefix, f"{redis_prefix}2:", f"{redis_prefix}user"
    ids = tuple(user_id.format(new=new) for user_id in IDS)
    fill(redis_server.url, old, ids, lanes=3)  # once there were more lanes
    for prefix in (new, below):
        fill(redis_server.url, prefix, ids)
    client.set(f"{old}rebuild", "left")
    client.set(f"{old}note", "another program's")
    settings = Settings.model_validate({"redis": redis_server.url, "redis_prefix": new})

    def keys(prefix: str) -> set[bytes]:
        return set(client.scan_iter(f"{prefix}*"))

    kept = keys(new) | keys(f"{below}user:") | keys(f"{below}place:") | keys(f"{below}saves:")
    kept |= {f"{below}{rest}".encode() for rest in ("angles:4f1c", "swept:0", "swept:1")}
    rebuild_lease.drop(settings, old)

    assert keys(old) == kept | {f"{old}note".encode()}


@pytest.mark.parametrize(("live", "into"), [("{0}", "{0}user:"), ("{0}user:", "{0}"), ("{0}", "{0}")])
def test_what_cannot_be_told_from_live_data_is_refused(
    client: redis.Redis, redis_server: RedisService, redis_prefix: str, live: str, into: str
) -> None:
    fill(redis_server.url, live.format(redis_prefix), ("user:7",))
    before = set(client.scan_iter(f"{redis_prefix}*"))
    settings = Settings.model_validate({"redis": redis_server.url, "redis_prefix": live.format(redis_prefix)})

    with pytest.raises(LaneInUse, match="nothing was dropped"):
        rebuild_lease.drop(settings, into.format(redis_prefix))

    assert set(client.scan_iter(f"{redis_prefix}*")) == before


def test_a_switch_that_was_interrupted_leaves_the_rebuild_named(
    client: redis.Redis, redis_server: RedisService, redis_prefix: str
) -> None:
    """Lane 0 has moved, and lane 1 has not."""
    into = f"{redis_prefix}2:"
    fill(redis_server.url, redis_prefix, ("7", "8"))
    fill(redis_server.url, into, ("7", "8"))
    settings = Settings.model_validate({"redis": redis_server.url, "redis_prefix": redis_prefix})
    leases = rebuild_lease.RedisLeases(redis_server.url)
    take(leases, redis_prefix, into, into)
    with closing(RedisStore(redis_server.url, 0, redis_prefix)) as store:
        assert store.save(b"p1", encode_mark(Moved(into)), [])

    assert rebuild_lease.standing(settings) == into

    leases.give_back(redis_prefix)
    assert rebuild_lease.standing(settings) is None
