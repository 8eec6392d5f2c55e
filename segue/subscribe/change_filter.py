"""Which changes a reader wants. Pure."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from schemas.outputs.crossing import Crossing, crossing, held_before
from schemas.outputs.segment_change import Change, UserErasedChange

Only = Literal["entering", "leaving"]


class Known(Struct, frozen=True):
    """What a reader knows of a user: the newest change that it took, and the segment that the user holds."""

    event_id: str
    held: int | None


class ChangeFilter(Struct, frozen=True):
    """Chooses the changes for a reader.

    Attributes:
        segment: only changes of users who hold this segment before or after; None takes every segment.
        only: only changes by which a user enters (or leaves) the segment, or any segment.
        provisional: whether provisional changes are wanted, and count as firm changes do.
    """

    segment: int | None = None
    only: Only | None = None
    provisional: bool = False

    def crossing(self, known: Known | None, change: Change) -> Crossing:
        """Return who left and who entered; ``known`` is None for a user whom the reader has not met."""
        held = held_before(change, provisional=self.provisional) if known is None else known.held
        return crossing(held, change, provisional=self.provisional)

    def wants(self, known: Known | None, change: Change) -> bool:
        """Return whether the reader wants a change.

        An erased user whom the reader has not met may have been in any segment: the reader gets the erasure,
        unless it wants only who enters.
        """
        step = self.crossing(known, change)
        if isinstance(change, UserErasedChange):
            if self.only == "entering":
                return False
            if known is None:
                return True
            return (self.only is None and self.segment is None) or self._is_mine(step.left)
        if change.provisional and not self.provisional:
            return False
        if self.only == "entering":
            return self._is_mine(step.entered)
        if self.only == "leaving":
            return self._is_mine(step.left)
        return self.segment is None or self.segment in {step.left, step.held}

    def _is_mine(self, segment: int | None) -> bool:
        return segment is not None and (self.segment is None or segment == self.segment)
