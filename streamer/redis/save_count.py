"""The count of a lane's saves: it is stored in the place and beside it, and shows a half restored save.

Redis's append-only file holds the effects of a save as one transaction. A crash may cut the file inside a
command. Then the beginning of the transaction stays in the file, and a later restart runs it (docs/redis.md).
The first effect of a save adds 1 to the count, so such a beginning raises the count. The place holds the
count as text and is written last, so the two differ.
"""

from streamer.interfaces.lane_errors import Torn


def place_in(stored: bytes | None, saves: bytes | None) -> bytes | None:
    """The place without the number of its save.

    Args:
        stored: the value of the place's key; None if there is none.
        saves: the count of saves, read at the same moment; None if there is none.

    Raises:
        Torn: the count and the number in the place differ.

    >>> place_in(b'12 {"step":3}', b"12"), place_in(None, None)
    (b'{"step":3}', None)
    """
    number, place = split(stored)
    if number == int(saves or 0):
        return place
    raise Torn(
        f"Redis brought back a part of a save that it had lost: it has run {int(saves or 0)} saves of this"
        f" lane, and the place is of save {number}",
        stored,
        saves,
        place,
    )


def split(stored: bytes | None) -> tuple[int, bytes | None]:
    """The number of the save that wrote a place, and the place; 0 if saves were not counted yet."""
    number, space, place = (stored or b"").partition(b" ")
    return (int(number), place) if space and number.isdigit() else (0, stored)
