"""Which segment a user was in before a change, and whether the change is an entry or a move. Pure.

A segment is *firm* if the record that says it is not provisional. A new user's first records are often
provisional, so a trigger that took them as entries would act on every signup. A user enters a segment when a
record is firm there, and the user's last firm segment is another or is not known. A `confirmed` in the same
segment is then an entry only for a user who was never firm before.
"""

from __future__ import annotations

from msgspec import Struct

from schemas.outputs.segment_change import SegmentChange
from segue.triggers.trigger_file import SegmentName, Trigger


class Segment(Struct, frozen=True, array_like=True):
    """A segment's id, and its name when the user was last seen there."""

    id: int
    name: str

    def is_named(self, wanted: SegmentName | None) -> bool:
        """Whether this is the segment with that id or name."""
        return wanted is not None and wanted == (self.id if isinstance(wanted, int) else self.name)


class Whereabouts(Struct, frozen=True):
    """What is known of a user's segment.

    Attributes:
        latest: the segment in the user's newest record; None if there was no record.
        firm: the segment in the user's newest record that is not provisional; None if there was none.
    """

    latest: Segment | None = None
    firm: Segment | None = None


def after(before: Whereabouts, change: SegmentChange) -> Whereabouts:
    """Return what is known after a change."""
    here = Segment(change.segment, change.segment_name)
    if not change.provisional:
        return Whereabouts(here, here)
    # An `unconfirmed` says that the record before it was firm in this segment.
    return Whereabouts(here, here if change.kind == "unconfirmed" else before.firm)


def is_meant(trigger: Trigger, before: Whereabouts, change: SegmentChange) -> bool:
    """Return whether a trigger on a segment acts on this change, all other rules apart.

    Args:
        trigger: the trigger; ``on`` is not ``erased``.
        before: what was known of the user before the change.
        change: the change.
    """
    if change.provisional and not trigger.provisional:
        return False
    was = before.latest if trigger.provisional else before.firm
    here = Segment(change.segment, change.segment_name)
    if was is not None and was.id == here.id:
        return False
    if trigger.on == "entering":
        return here.is_named(trigger.segment)
    if trigger.on == "leaving":
        return was is not None and was.is_named(trigger.segment)
    return was is not None and was.is_named(trigger.origin) and here.is_named(trigger.target)
