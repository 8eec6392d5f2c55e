"""The format number of a stored state or place.

- Format 1 has no number. Versions wrote it before formats were numbered.
- Format 2 has a number, and the place counts its saves (:mod:`streamer.redis.save_count`). A worker that
  knows only format 1 cannot read such a place, and stops before it writes.
- Format 3 may have an index of a user's orders (:mod:`streamer.user.order_index`). An older worker would not
  keep the index up to date.
- Format 4 may have values of a shop's own fields, the times of the first and the last order (among the
  extremes), and a place that names the default features left out.
- Format 5 may have the activation for which a lane keeps an index (``Sweep.ready``).
- Format 6 may have what features of time need: orders and signups by day, and a place that names the zone
  and the lane's day.
- Format 7 has states and orders in MessagePack (:mod:`streamer.user.stored.stored_state`). A place is JSON.
- Format 8 has in a place how many users the lane has.

A new field is a new format, and so is a new meaning of a field: an older worker would drop a field that it
does not know, and write the rest back. tests/data/formats keeps a state and a place of each format.
docs/upgrading.md says how two versions live together.
"""

import msgspec
from msgspec import Struct

from schemas.errors import NeedsRebuild

NEWEST = 8
UNNUMBERED = 1


class NewerFormat(NeedsRebuild):
    """A newer version of Segue wrote the data, and this version would lose a part of it."""


class _Numbered(Struct, frozen=True):
    format: int = UNNUMBERED


class _NumberedRow(_Numbered, frozen=True, array_like=True):
    pass


_json_decoder = msgspec.json.Decoder(_Numbered)
_row_decoder = msgspec.msgpack.Decoder(_NumberedRow)


def is_json(stored: bytes) -> bool:
    """Whether stored bytes are a JSON object, and not an array in MessagePack."""
    return stored.startswith(b"{")


def check_format(stored: bytes, what: str) -> int:
    """The format number of stored bytes, after a check that this version knows the format.

    Args:
        stored: the bytes of a state or a place.
        what: a name for the error message: "a state", "the place".

    Raises:
        NewerFormat: a newer version wrote the bytes.
        msgspec.MsgspecError: the bytes have no number of a format.
    """
    number = (_json_decoder if is_json(stored) else _row_decoder).decode(stored).format
    if number > NEWEST:
        raise NewerFormat(
            f"{what} in Redis is of format {number}, and this version of Segue reads formats up to {NEWEST}:"
            " run the newer version (docs/upgrading.md)"
        )
    return number
