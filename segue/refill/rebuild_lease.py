"""One rebuild at a time: a key under the live prefix names the prefix that a rebuild fills."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import chain
from typing import cast

from segue.config.settings import Settings
from segue.connect.kafka_access import lanes_of
from segue.connect.live_prefix import followed
from segue.refill import rebuild_steps
from streamer.place.place_marks import Refilling, encode_mark
from streamer.place.redis_keys import Keys
from streamer.redis.cluster_store import store_at
from streamer.redis.node_urls import is_cluster
from streamer.redis.redis_client import TIMEOUT_S, Client, connect, reaching, scan_keys
from streamer.refill.rebuild_lane import LaneInUse


class RedisLeases:
    """The :class:`segue.refill.rebuild_steps.Leases` in Redis; every method may raise Unreachable."""

    def __init__(self, url: str, timeout_s: float = TIMEOUT_S) -> None:
        self._url = url
        self._timeout_s = timeout_s

    def take(self, live: str, into: str) -> bool:
        """Store the name ``into`` for the prefix ``live``; return False if a name is stored already."""
        with self._client() as client:
            return bool(client.set(Keys(live).rebuild(), into, nx=True))

    def standing(self, live: str) -> str | None:
        """Return the stored name; None if there is none."""
        with self._client() as client:
            stored = cast(bytes | None, client.get(Keys(live).rebuild()))
        return None if stored is None else stored.decode()

    def give_back(self, live: str) -> None:
        """Delete the stored name."""
        with self._client() as client:
            client.delete(Keys(live).rebuild())

    @contextmanager
    def _client(self) -> Iterator[Client]:
        with closing(connect(self._url, self._timeout_s)) as client, reaching(self._url):
            yield client


def standing(settings: Settings, timeout_s: float = TIMEOUT_S) -> str | None:
    """Return the prefix of a rebuild that is not finished: not every lane has moved there. None without one.

    Raises:
        Unreachable: Redis does not answer.
    """
    # An interrupted switch has moved the first lanes. The name is stored under the prefix of the other lanes.
    prefixes = followed(settings, timeout_s).redis_prefix, settings.redis_prefix
    names = map(RedisLeases(settings.redis, timeout_s).standing, prefixes)
    return next((name for name in names if name is not None), None)


def drop(settings: Settings, into: str) -> None:
    """Delete all that lanes or a rebuild wrote under a prefix.

    A rebuild that still fills the prefix ends with an error.

    Raises:
        LaneInUse: the lanes use the prefix, or another rebuild into the prefix began meanwhile.
        Unreachable: Kafka or Redis does not answer.
    """
    live = followed(settings).redis_prefix
    if into in (live, settings.redis_prefix):
        raise LaneInUse(
            f"the lanes' states lie under {into!r}, or the setting redis_prefix names it: nothing was dropped"
        )
    check_apart(into, {live, settings.redis_prefix}, "nothing was dropped")
    lanes = set(range(lanes_of(settings))) | _lanes_with_a_place(settings, into)
    mark = encode_mark(Refilling("rebuild", f"drop {uuid.uuid4().hex}", 1))
    stores = [store_at(settings.redis, lane, into) for lane in sorted(lanes)]
    with ExitStack() as stack:
        for store in stores:
            stack.callback(store.close)
        rebuild_steps.drop(stores, mark, into, RedisLeases(settings.redis), live)


def check_apart(into: str, used: Collection[str], outcome: str) -> None:
    """Check that no key under the prefix can look like a key under a prefix that the lanes use.

    Args:
        into: the prefix to fill or to drop.
        used: the prefixes that the lanes use.
        outcome: the end of the message: what to do, or what was not done.

    Raises:
        LaneInUse: the keys overlap.
    """
    for prefix in used:
        if Keys(into).overlaps(prefix):
            raise LaneInUse(
                f"keys under {into!r} overlap with those under {prefix!r}, where the lanes' states lie:"
                f" {outcome}"
            )


def _lanes_with_a_place(settings: Settings, prefix: str) -> set[int]:
    """Return the lanes with a place under the prefix; an older group may have had more lanes than now."""
    url = settings.redis
    keys = Keys(prefix, tagged=is_cluster(url))
    with closing(connect(url)) as client, reaching(url):
        found = chain.from_iterable(scan_keys(client, keys.every_place(), 1_000))
        return {lane for key in found if (lane := keys.lane_of_place(key)) is not None}
