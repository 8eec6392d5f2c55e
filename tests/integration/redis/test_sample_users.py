"""A sample of the users in a real Redis, over lanes that lie under different prefixes."""

from __future__ import annotations

from random import Random

from segue.services import RedisService
from streamer.drift.sample_users import sample_users
from streamer.interfaces.lane_interfaces import UserWrite
from streamer.place.place_marks import Moved, encode_mark
from streamer.redis.redis_store import RedisStore
from streamer.user.stored.stored_state import encode
from streamer.user.user_state import UserState


def fill(url: str, prefix: str, lane: int, user_ids: list[str]) -> None:
    store = RedisStore(url, lane, prefix)
    writes = [
        UserWrite(
            user_id=user_id, fields={"state": encode(UserState(user_id))}, orders={}, angles={}, swept=1
        )
        for user_id in user_ids
    ]
    assert store.save(store.follow(), b"p1", writes)
    store.close()


def test_every_user_or_a_random_part(redis_server: RedisService, redis_prefix: str) -> None:
    first, second = [f"a{n}" for n in range(700)], [f"b{n}" for n in range(300)]
    fill(redis_server.url, redis_prefix, 0, first)
    moved = f"{redis_prefix}2:"
    fill(redis_server.url, moved, 1, second)
    store = RedisStore(redis_server.url, 1, redis_prefix)
    assert store.save(None, encode_mark(Moved(moved)), [])
    store.close()

    def ids(most: int) -> list[str]:
        found = sample_users(redis_server.url, redis_prefix, [0, 1, 2], Random(7), most=most)
        return [state.user_id for state in found]

    assert sorted(ids(5_000)) == sorted(first + second)
    some = ids(100)
    assert len(set(some)) == 100
    assert {one[0] for one in some} == {"a", "b"}
