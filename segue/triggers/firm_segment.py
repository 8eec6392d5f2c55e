"""Whether a trigger on a segment is meant by a change: :mod:`schemas.outputs.crossing`, with names. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from schemas.outputs.crossing import Crossing, crossing, held_before
from schemas.outputs.segment_change import SegmentChange
from segue.triggers.file.trigger_file import SegmentName, Trigger


class Segment(Struct, frozen=True, array_like=True):
    """A segment's id, and its name when the user was last seen there; no name if only the id is known."""

    id: int
    name: str

    def is_named(self, wanted: SegmentName | None, names: Mapping[int, str]) -> bool:
        """Whether this is the segment with that id or name; ``names`` helps if only the id is known."""
        if isinstance(wanted, int):
            return wanted == self.id
        return wanted is not None and wanted == (self.name or names.get(self.id))


class Whereabouts(Struct, frozen=True):
    """What is known of a user's segment.

    Attributes:
        latest: the segment that the user holds if provisional records count; None if it holds none.
        firm: the segment that the user holds if they do not count; None if it holds none.
    """

    latest: Segment | None = None
    firm: Segment | None = None

    def held(self, *, provisional: bool) -> Segment | None:
        """The segment that the user holds, for a reader for whom provisional records count, or do not."""
        return self.latest if provisional else self.firm


def first_met(change: SegmentChange) -> Whereabouts:
    """Return what a change says of the time before it, for an unknown user.

    The change has no name of the former segment, so such a segment is known by its id alone.
    """
    latest, firm = held_before(change, provisional=True), held_before(change)
    return Whereabouts(_known(latest, change), _known(firm, change))


def after(before: Whereabouts, change: SegmentChange) -> Whereabouts:
    """Return what is known after a change."""
    here = Segment(change.segment, change.segment_name)
    firm = _crossed(before, change, provisional=False).held
    # The name too: a release may rename a segment.
    return Whereabouts(here, here if firm == here.id else before.firm)


def is_meant(trigger: Trigger, before: Whereabouts, change: SegmentChange, names: Mapping[int, str]) -> bool:
    """Return whether a trigger on a segment acts on this change, all other rules apart.

    Args:
        trigger: the trigger; ``on`` is not ``erased``.
        before: what was known of the user before the change.
        change: the change.
        names: the segments' names by id, for a user of whose segment only the id is known.
    """
    was = before.held(provisional=trigger.provisional)
    crossed = _crossed(before, change, provisional=trigger.provisional)
    if crossed.entered is None:
        return False
    here = Segment(crossed.entered, change.segment_name)
    if trigger.on == "entering":
        return here.is_named(trigger.segment, names)
    if was is None or crossed.left is None:
        return False
    if trigger.on == "leaving":
        return was.is_named(trigger.segment, names)
    return was.is_named(trigger.origin, names) and here.is_named(trigger.target, names)


def _crossed(before: Whereabouts, change: SegmentChange, *, provisional: bool) -> Crossing:
    held = before.held(provisional=provisional)
    return crossing(None if held is None else held.id, change, provisional=provisional)


def _known(segment: int | None, change: SegmentChange) -> Segment | None:
    if segment is None:
        return None
    return Segment(segment, change.segment_name if segment == change.segment else "")
