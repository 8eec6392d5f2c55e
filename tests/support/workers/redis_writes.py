"""Writes for the tests of the store, and the type of the fixture that starts a Redis."""

from __future__ import annotations

from collections.abc import Callable

from segue.services import LocalRedis
from streamer.interfaces.lane_interfaces import UserWrite

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
