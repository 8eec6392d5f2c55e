"""Which format a stored state or place is of: what was written without a number is of format 1.

Format 1 is that of the versions before formats were numbered. Format 2 numbers the place's saves and itself
(:mod:`streamer.redis.save_count`), so that a worker that knows format 1 alone cannot read the place, and stops before it writes.
Format 3 may have an index of a user's orders (:mod:`streamer.user.order_index`), which a worker that does not know it would leave as it is.

A field more, or another meaning of one, is another format: an older worker would drop what it does not know and write the
rest back. tests/data/formats keeps a state and a place of each, and docs/upgrading.md says how two versions live together.
"""

import msgspec
from msgspec import Struct

from schemas.errors import NeedsRebuild

NEWEST = 3
UNNUMBERED = 1


class NewerFormat(NeedsRebuild):
    """A newer version of Segue wrote it, and this one would lose a part of it."""


class _Numbered(Struct, frozen=True):
    format: int = UNNUMBERED


_decoder = msgspec.json.Decoder(_Numbered)


def check_format(stored: bytes, what: str) -> int:
    """The format of what is stored, one that this version knows.

    Args:
        what: for people: "a state", "the place".

    Raises:
        NewerFormat: it is a later one.
        msgspec.MsgspecError: it names none.
    """
    number = _decoder.decode(stored).format
    if number > NEWEST:
        raise NewerFormat(
            f"{what} in Redis is of format {number}, and this version of Segue reads formats up to {NEWEST}: run the newer"
            " version (docs/upgrading.md)"
        )
    return number
