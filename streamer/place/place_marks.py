"""Marks: a mark is stored instead of a lane's place, and no worker continues from a mark.

Every save compares the place, so one write of a mark locks out the worker that had the lane before. A mark is
stored as one JSON text; a place is a JSON object.
"""

import re
from typing import Literal, cast

import msgspec
from msgspec import Struct

Refill = Literal["bootstrap", "rebuild"]


class Refilling(Struct, frozen=True):
    """A bootstrap or a rebuild fills the lane, or it ended too early; the states are not complete.

    ``writer`` names this run, so a later run locks it out. ``save`` is the number of its newest save.
    """

    what: Refill
    writer: str
    save: int


class Emptying(Struct, frozen=True):
    """A takeover empties a torn lane. The next takeover that finds this mark empties the lane again."""

    writer: str


class Moved(Struct, frozen=True):
    """The lane continues under another Redis prefix."""

    prefix: str


Mark = Refilling | Emptying | Moved

# The first versions wrote no writer and no save, and later versions wrote a writer but no save.
_REFILLING = re.compile(r"a (bootstrap|rebuild) was begun(?:: (.*?)(?:, save (\d+))?)?", re.DOTALL)
_EMPTYING = "a torn lane is being emptied: "
_MOVED = "moved to: "


def encode_mark(mark: Mark) -> bytes:
    """The stored bytes of a mark.

    >>> encode_mark(Moved("segue-2:")), encode_mark(Refilling("rebuild", "rebuild 7f", 3))
    (b'"moved to: segue-2:"', b'"a rebuild was begun: rebuild 7f, save 3"')
    """
    return msgspec.json.encode(_text(mark))


def _text(mark: Mark) -> str:
    match mark:
        case Refilling(what, writer, save):
            return f"a {what} was begun: {writer}, save {save}"
        case Emptying(writer):
            return f"{_EMPTYING}{writer}"
        case Moved(prefix):
            return f"{_MOVED}{prefix}"


def mark_in(stored: bytes | None) -> Mark | None:
    """The mark in stored bytes; None if the bytes are something else or absent.

    >>> mark_in(b'"moved to: segue-2:"'), mark_in(b'{"step":3}'), mark_in(None)
    (Moved(prefix='segue-2:'), None, None)
    """
    if stored is None or not stored.startswith(b'"'):
        return None
    try:
        text = msgspec.json.decode(stored, type=str)
    except msgspec.DecodeError:
        return None
    if refilling := _REFILLING.fullmatch(text):
        what, writer, save = refilling.groups()
        return Refilling(cast(Refill, what), writer or "", int(save or 0))
    if text.startswith(_EMPTYING):
        return Emptying(text.removeprefix(_EMPTYING))
    if text.startswith(_MOVED):
        return Moved(text.removeprefix(_MOVED))
    return None


def moved_to(stored: bytes | None) -> str | None:
    """The Redis prefix under which the lane continues; None if the lane has not moved."""
    mark = mark_in(stored)
    return mark.prefix if isinstance(mark, Moved) else None


def is_refilled(stored: bytes | None, what: Refill) -> bool:
    """Whether a bootstrap, or a rebuild, has begun and has not ended."""
    mark = mark_in(stored)
    return isinstance(mark, Refilling) and mark.what == what


def is_emptied(stored: bytes | None) -> bool:
    """Whether a takeover has begun to empty the lane and has not ended."""
    return isinstance(mark_in(stored), Emptying)
