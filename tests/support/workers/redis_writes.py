"""Writes and searches for the tests of the store, and the type of the fixture that starts a Redis."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from segue.services import LocalRedis
from streamer.interfaces.lane_interfaces import Neighbour, Store, UserWrite
from streamer.segment.neighbours import AngleIndex

StartRedis = Callable[..., LocalRedis]

SPACE = "4f1c"


def write(
    user_id: str,
    fields: dict[str, bytes | str | None] | None = None,
    orders: dict[str, bytes | None] | None = None,
    angles: dict[str, float | None] | None = None,
) -> UserWrite:
    return UserWrite(user_id, fields or {}, orders or {}, angles or {})


def at(user_id: str, angle: float | None) -> UserWrite:
    return UserWrite(user_id, {"segment": "3"}, {}, {SPACE: angle}, swept=1)


def nearest(
    store: Store, towards: Sequence[float], n: int, exclude: Collection[str] = (), space: str = SPACE
) -> list[list[Neighbour]]:
    """Return the nearest users of each angle, from the store's one answer for all of them."""
    found = {user.user_id: user for user in store.neighbours(space, towards, n, exclude)}
    index = AngleIndex.of({user_id: user.angle for user_id, user in found.items()})
    return [[found[user_id] for user_id, _ in index.nearest(angle, n)] for angle in towards]
