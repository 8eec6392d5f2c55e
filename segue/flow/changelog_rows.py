"""The records of a table's changelog: JSON, as Faust writes them."""

from __future__ import annotations

import msgspec

from schemas.errors import SegueError
from segue.flow.moved_row import Row, Way

_Key = tuple[tuple[str, int, int | None, int], tuple[float, float]]
_KEY = msgspec.json.Decoder(_Key)
_ROW = msgspec.json.Decoder(Row)


class BadRow(SegueError):
    """A record of a changelog is no row that this version can read."""


def read_key(key: bytes) -> tuple[Way, int]:
    """Return the way of a record, and when its window begins, in seconds since 1970.

    Raises:
        BadRow: the key is not Segue's.
    """
    try:
        way, (begin, _) = _KEY.decode(key)
    except msgspec.MsgspecError as error:
        raise _bad("key", error) from None
    return Way(*way), int(begin)


def read_row(value: bytes) -> Row:
    """Return the row of a record.

    Raises:
        BadRow: the value is not Segue's.
    """
    try:
        return _ROW.decode(value)
    except msgspec.MsgspecError as error:
        raise _bad("value", error) from None


def _bad(part: str, error: Exception) -> BadRow:
    return BadRow(
        f"the {part} of a row of the flow cannot be read ({error}): was it written by `segue flow`?"
    )
