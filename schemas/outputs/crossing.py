"""What it means that a user enters or leaves a segment: pure, for subscribers and triggers.

A reader keeps one fact about each user: the segment that the user *holds*. A provisional record changes it
only for a reader who asked for provisional records. So

- a new user whose segment is provisional enters nothing, until a record is firm;
- ``confirmed`` is an entry if the user did not hold the segment yet, and no second entry if it did;
- a user who goes to another segment provisionally and comes back has neither left nor entered;
- ``erased`` leaves the segment that the user held.

``previous_segment`` of a record does not say this: the previous segment may have been provisional.
"""

from dataclasses import dataclass

from schemas.outputs.segment_change import Change, UserErasedChange


@dataclass(frozen=True, slots=True)
class Crossing:
    """What one record changes for a reader.

    Attributes:
        left: the segment that the user left; None if it left none.
        entered: the segment that the user entered; None if it entered none.
        held: the segment that the user holds after the record; None if it holds none. Keep it for the
            user's next record.
    """

    left: int | None
    entered: int | None
    held: int | None


def crossing(held: int | None, change: Change, *, provisional: bool = False) -> Crossing:
    """Return what a record changes for a user who holds a segment.

    Args:
        held: the segment that the user holds before the record: ``held`` of the crossing before. For a user
            whom the reader meets for the first time, :func:`held_before`.
        change: the user's next record, in the order of ``sequence``.
        provisional: whether provisional records count as firm records do.
    """
    if isinstance(change, UserErasedChange):
        return Crossing(held, None, None)
    if (change.provisional and not provisional) or change.segment == held:
        return Crossing(None, None, held)
    return Crossing(held, change.segment, change.segment)


def held_before(change: Change, *, provisional: bool = False) -> int | None:
    """Return the segment that a user held before a record, as far as the record itself says it.

    For a user whose earlier records the reader does not know. It is exact but for two cases, in which the
    earlier record is needed: ``moved`` from a segment that was provisional (taken as held), and, if
    provisional records do not count, ``confirmed`` after ``unconfirmed`` (taken as the first entry).

    Args:
        change: the first record of the user that the reader sees.
        provisional: whether provisional records count as firm records do.

    Returns:
        The segment; None if the user held none, or was erased.
    """
    if isinstance(change, UserErasedChange):
        return None
    if change.kind == "confirmed" and not provisional:
        return None
    return change.previous_segment
