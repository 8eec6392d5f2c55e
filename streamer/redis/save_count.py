"""The count of a lane's saves, in the place and beside it: they differ where Redis brought back a part of a lost save.

A save's effects lie in Redis's append-only file as one transaction. A crash that cuts the file inside a command
leaves the transaction's head standing there, and a later restart runs it (docs/redis.md). The count is the first of the
effects and a relative one, so such a head raises it; the place has it as text.
"""

from streamer.interfaces.lane_errors import Torn


def place_in(stored: bytes | None, saves: bytes | None) -> bytes | None:
    """The place, without the number of its save.

    Args:
        stored: the place's key; None where it has none.
        saves: the count beside it, of the same moment.

    Raises:
        Torn: Redis has run other saves than those that led to this place.

    >>> place_in(b'12 {"step":3}', b"12"), place_in(None, None)
    (b'{"step":3}', None)
    """
    number, place = split(stored)
    if number == int(saves or 0):
        return place
    raise Torn(
        f"Redis brought back a part of a save that it had lost: it has run {int(saves or 0)} saves of this lane, and the"
        f" place is of save {number}",
        stored,
        saves,
        place,
    )


def split(stored: bytes | None) -> tuple[int, bytes | None]:
    """The number of the save that wrote a place, and the place. One from before saves were counted has number 0."""
    number, space, place = (stored or b"").partition(b" ")
    return (int(number), place) if space and number.isdigit() else (0, stored)
