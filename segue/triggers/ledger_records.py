"""The records of `segue-trigger-ledger`: what the triggers did.

Keys are text; a trigger's name has no slash:

- ``<trigger>/<user id>``: an :class:`~segue.triggers.policy.Entry`.
- ``/<user id>``: a :class:`~segue.triggers.policy.User`.
- ``place``: a :class:`Place`, one in each partition.
- ``deciding``: a :class:`Deciding`, one in each partition.

All other records of a partition together are what the changes before the place's offset give, because one
transaction writes them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from schemas.errors import BadChange
from segue.triggers.policy import Entry, User

PLACE_KEY = b"place"
DECIDING_KEY = b"deciding"
_FORMAT = 1

_ENCODER = msgspec.json.Encoder()
# Made here, because msgspec must not learn a type in two threads at once.
_ENTRY = msgspec.json.Decoder(Entry)
_USER = msgspec.json.Decoder(User)

Writes = Mapping[bytes, bytes | None]
"""Records of the ledger, by key; a value of None deletes."""


class Place(Struct, frozen=True):
    """How far the ledger of a partition has come.

    Attributes:
        group: the consumer group whose ledger this is.
        topic_id: the id of the topic of changes.
        offset: the next offset in it.
        changes: how many changes have an outcome.
        counts: by trigger, how many changes had each outcome. The counts of a trigger that was in the file
            all the time add up to ``changes``.
        format: the format of the ledger's records.
    """

    group: str
    topic_id: str
    offset: int
    changes: int = 0
    counts: Mapping[str, Mapping[str, int]] = {}
    format: int = _FORMAT


class Window(Struct, frozen=True):
    """Changes that were decided at one time: those past the former window, and before the offset ``end``."""

    end: int
    at: Annotated[datetime, Meta(tz=True)]


class Deciding(Struct, frozen=True):
    """When the changes past the place were decided whose webhooks may be on their way.

    The rules ask for the time. So who decides these changes again, after a crash or a deploy, must ask with
    the same time: a webhook that was delivered would else be skipped, and its entry be missing.

    Attributes:
        topic_id: the id of the topic of changes.
        windows: in the order of their offsets; some may lie before the place.
    """

    topic_id: str
    windows: tuple[Window, ...] = ()

    def at(self, topic_id: str, offset: int) -> datetime | None:
        """Return when a change was decided; None if that is not known."""
        if topic_id != self.topic_id:
            return None
        number = bisect_right(self.windows, offset, key=lambda window: window.end)
        return self.windows[number].at if number < len(self.windows) else None


_PLACE = msgspec.json.Decoder(Place)
_DECIDING = msgspec.json.Decoder(Deciding)


def entry_key(trigger: str, user_id: str) -> bytes:
    """Return the key of an entry."""
    return f"{trigger}/{user_id}".encode()


def user_key(user_id: str) -> bytes:
    """Return the key of what all triggers know of a user."""
    return f"/{user_id}".encode()


def is_of_triggers(key: bytes) -> bool:
    """Whether triggers can have written a key.

    >>> [is_of_triggers(key) for key in (b"/7", b"welcome/7", b"place", b"session", bytes([255, 47]))]
    [True, True, True, False, False]
    """
    try:
        return key in {PLACE_KEY, DECIDING_KEY} or owner_of(key) is not None
    except UnicodeDecodeError:
        return False


def check_value(key: bytes, value: bytes) -> None:
    """Check a record with a key of triggers.

    Raises:
        BadChange: this version cannot read it.
    """
    owner = owner_of(key)
    read: Callable[[bytes], object]
    if owner is None:
        read = read_place if key == PLACE_KEY else read_deciding
    else:
        read = read_entry if owner[0] else read_user
    try:
        read(value)
        value.decode()  # in a field that is not read, msgspec takes any bytes
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadChange(f"the ledger of triggers cannot be read: {error}") from None


def owner_of(key: bytes) -> tuple[str, str] | None:
    """Return the trigger and the user id of a key; the trigger is empty for a user; None for a place.

    >>> owner_of(b"welcome/a/b"), owner_of(b"/7"), owner_of(b"place")
    (('welcome', 'a/b'), ('', '7'), None)
    """
    trigger, slash, user_id = key.decode().partition("/")
    return (trigger, user_id) if slash else None


def encode(value: Entry | User | Place | Deciding) -> bytes:
    """Return the value of a record of the ledger."""
    return _ENCODER.encode(value)


def read_place(value: bytes) -> Place:
    """Decode a place.

    Raises:
        BadChange: this version cannot read it.
    """
    try:
        place = _PLACE.decode(value)
    except msgspec.MsgspecError as error:
        raise BadChange(f"the place in the ledger of triggers cannot be read: {error}") from None
    if place.format > _FORMAT:
        raise BadChange(
            f"the ledger of triggers has format {place.format}, and this version reads {_FORMAT}: run the"
            " Segue that wrote it, or a newer one"
        )
    return place


def read_deciding(value: bytes) -> Deciding:
    """Decode when the changes past the place were decided."""
    return _DECIDING.decode(value)


def read_entry(value: bytes) -> Entry:
    """Decode an entry."""
    return _ENTRY.decode(value)


def read_user(value: bytes) -> User:
    """Decode what all triggers know of a user."""
    return _USER.decode(value)
