"""One rebuild at a time: the live prefix names the one that it is rebuilt into."""

from __future__ import annotations

import uuid
from contextlib import ExitStack, closing
from typing import cast

from segue.followed import followed
from segue.kafka import lanes_of
from segue.settings import Settings
from streamer import place as places
from streamer.keys import Keys
from streamer.rebuild import LaneInUse
from streamer.redis_client import TIMEOUT_S, address_of, connect, reaching
from streamer.store import RedisStore


def standing(settings: Settings, timeout_s: float = TIMEOUT_S) -> str | None:
    """The prefix that a rebuild fills, or filled, and to which not every lane has moved.

    Raises:
        Unreachable: Redis does not answer.
    """
    # A switch that was interrupted has moved the first lanes, and the name stands where the others are.
    prefixes = followed(settings, timeout_s).redis_prefix, settings.redis_prefix
    with closing(connect(settings.redis, timeout_s)) as client, reaching(address_of(client)):
        stored = cast(list[bytes | None], client.mget([Keys(prefix).rebuild() for prefix in prefixes]))
    return next((name.decode() for name in stored if name is not None), None)


def take(settings: Settings, into: str) -> None:
    """Name the prefix, so that no rebuild into another begins beside this one; again, for the same, is no harm.

    Raises:
        LaneInUse: another one stands.
        Unreachable: Redis does not answer.
    """
    prefix = followed(settings).redis_prefix
    if prefix == into:  # nothing is rebuilt beside it: its lanes have no states
        return
    with closing(connect(settings.redis)) as client, reaching(address_of(client)):
        taken = client.set(Keys(prefix).rebuild(), into, nx=True)
    other = None if taken else standing(settings)
    if other is not None and other != into:
        raise LaneInUse(
            f"a rebuild into {other!r} was begun, and the lanes have not moved there: move them (segue rebuild --into"
            f" {other} --switch), or drop it (segue rebuild --into {other} --drop)"
        )


def give_back(settings: Settings, prefix: str) -> None:
    """Take the name away from a prefix.

    Raises:
        Unreachable: Redis does not answer.
    """
    with closing(connect(settings.redis)) as client, reaching(address_of(client)):
        client.delete(Keys(prefix).rebuild())


def drop(settings: Settings, into: str) -> None:
    """Delete what lanes or a rebuild wrote under a prefix; a rebuild that still runs there ends with an error.

    Raises:
        LaneInUse: the lanes are there, or another rebuild into the prefix was begun meanwhile.
        Unreachable: Kafka or Redis does not answer.
    """
    live = followed(settings).redis_prefix
    if into in (live, settings.redis_prefix):
        raise LaneInUse(
            f"the lanes' states lie under {into!r}, or are reached through it: nothing was dropped"
        )
    for prefix in (live, settings.redis_prefix):
        if Keys(into).overlaps(prefix):
            raise LaneInUse(
                f"keys under {into!r} cannot be told from those under {prefix!r}, where the lanes' states lie: nothing was"
                " dropped"
            )
    lanes = set(range(lanes_of(settings))) | _lanes_with_a_place(settings, into)
    mark = places.rebuilding(f"drop {uuid.uuid4().hex}", 1)
    stores = [RedisStore(settings.redis, lane, into) for lane in sorted(lanes)]
    with ExitStack() as stack:
        for store in stores:
            stack.callback(store.close)
            store.seize(mark)
        ours = stores[0].clear(mark)
        for store in stores:
            ours = store.drop_place(mark) and ours
        if not ours:
            raise LaneInUse(f"another rebuild into {into!r} was begun meanwhile: let that one end")
    give_back(settings, into)
    if standing(settings) == into:
        give_back(settings, live)


def _lanes_with_a_place(settings: Settings, prefix: str) -> set[int]:
    """A group of before may have had more lanes than there are now."""
    keys = Keys(prefix)
    begin = len(keys.place(0)) - 1
    with closing(connect(settings.redis)) as client, reaching(address_of(client)):
        names = [key.decode(errors="replace")[begin:] for key in client.scan_iter(keys.every_place())]
    return {int(name) for name in names if name.isdecimal()}
