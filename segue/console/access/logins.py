"""Remembers which browsers have logged in."""

from __future__ import annotations

import hashlib
import secrets
from enum import IntEnum

MOST = 10_000


class Right(IntEnum):
    """What a request may do; each right includes those before it."""

    NOTHING = 0
    READ = 1
    WRITE = 2


class Logins:
    """The browsers that have logged in since the console started, by a digest of their cookie.

    Beyond :data:`MOST` the oldest must log in again. Only the event loop calls it.
    """

    def __init__(self) -> None:
        self._rights: dict[bytes, Right] = {}

    def begin(self, right: Right) -> str:
        """Return the cookie of a new login."""
        cookie = secrets.token_urlsafe(32)
        self._rights[_digest(cookie)] = right
        if len(self._rights) > MOST:
            del self._rights[next(iter(self._rights))]
        return cookie

    def right_of(self, cookie: str) -> Right:
        """Return the right that a cookie gives."""
        return self._rights.get(_digest(cookie), Right.NOTHING)

    def end(self, cookie: str) -> None:
        """Let a cookie give no right any more."""
        self._rights.pop(_digest(cookie), None)


def _digest(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode(errors="replace")).digest()
