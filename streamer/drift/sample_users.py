"""A random sample of the users in Redis. It only reads, with the rights that lanes have anyway."""

from collections.abc import Collection, Iterator
from contextlib import closing
from random import Random

from schemas.release.stability_index import SAMPLE
from streamer.place.redis_keys import STATE, Keys
from streamer.redis.cluster_store import store_at
from streamer.redis.node_urls import is_cluster
from streamer.redis.redis_client import TIMEOUT_S, connect, reaching
from streamer.takeover.lane_snapshot import follow_lane
from streamer.user.stored import stored_state
from streamer.user.user_state import UserState

_BATCH = 250
"""Users in one round trip: few enough that a lane's own call hardly waits for them."""


def sample_users(
    url: str,
    prefix: str,
    lanes: Collection[int],
    random: Random,
    *,
    most: int = SAMPLE,
    timeout_s: float = TIMEOUT_S,
) -> Iterator[UserState]:
    """Yield users of these lanes, each at most once: all of them, or ``most`` at random.

    Args:
        url: Redis.
        prefix: the prefix of the keys, as in the settings; a rebuild may have moved a lane elsewhere.
        lanes: the lanes' numbers.
        random: chooses the users.
        most: the most users.
        timeout_s: seconds that one answer may take.

    Raises:
        Unreachable: Redis does not answer.
    """
    with closing(connect(url, timeout_s)) as client:
        tagged = is_cluster(url)
        keys = {lane: Keys(_prefix_of(url, prefix, lane, timeout_s), tagged=tagged) for lane in lanes}

        with reaching(url):
            sizes = [client.zcard(of.swept(lane)) for lane, of in keys.items()]
        # A place is a lane and a rank in its set of users. While it is read, the set may grow or shrink.
        ranges = [(lane, size) for lane, size in zip(keys, sizes, strict=True) if size]
        for places in _batches(_chosen(ranges, random, most)):
            pipeline = client.pipeline(transaction=False)
            for lane, rank in places:
                pipeline.zrange(keys[lane].swept(lane), rank, rank)
            with reaching(url):
                found = pipeline.execute()
            users = {
                member.decode(): keys[lane].user(member.decode(), lane)
                for (lane, _), members in zip(places, found, strict=True)
                for member in members
            }
            for key in users.values():
                pipeline.hget(key, STATE)
            with reaching(url):
                stored = pipeline.execute()
            for user_id, state in zip(users, stored, strict=True):
                if state is not None:
                    yield stored_state.decode(user_id, state, {})


def _chosen(ranges: list[tuple[int, int]], random: Random, most: int) -> list[tuple[int, int]]:
    """At most ``most`` places, each of the same chance."""
    total = sum(size for _, size in ranges)
    chosen = sorted(random.sample(range(total), most)) if total > most else range(total)
    places, begin, at = [], 0, iter(ranges)
    lane, size = next(at, (0, 0))
    for place in chosen:
        while place - begin >= size:
            begin += size
            lane, size = next(at)
        places.append((lane, place - begin))
    return places


def _batches(places: list[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    for begin in range(0, len(places), _BATCH):
        yield places[begin : begin + _BATCH]


def _prefix_of(url: str, prefix: str, lane: int, timeout_s: float) -> str:
    store = store_at(url, lane, prefix, timeout_s)
    try:
        follow_lane(store)
        return store.prefix
    finally:
        store.close()
