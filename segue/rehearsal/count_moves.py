"""Counts what changes do to users and segments: moves, flaps, entered and left. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from schemas.outputs.segment_change import Change, SegmentChange


@dataclass(slots=True)
class SegmentCounts:
    """What happened to one segment.

    Attributes:
        new: how often the segment was a user's first segment.
        entered: how often a user came from another segment.
        left: how often a user went to another segment, or was erased.
    """

    new: int = 0
    entered: int = 0
    left: int = 0


@dataclass(slots=True)
class MoveCounts:
    """The counts of one run.

    A move is a change from one segment to another; a first segment is no move. A flap is a move back to a
    segment that the user has left within the window.

    Attributes:
        moves: the number of moves, by the type of their cause.
        movers: the number of users who moved at least once, by the type of the cause.
        moving_users: the number of users who moved at least once.
        flaps: the number of returns.
        flapping_users: the number of users who returned at least once.
        new_users: the number of first segments.
        erased_users: the number of erasures of users with a segment.
        segments: the counts by segment.
    """

    moves: Counter[str] = field(default_factory=Counter)
    movers: Counter[str] = field(default_factory=Counter)
    moving_users: int = 0
    flaps: int = 0
    flapping_users: int = 0
    new_users: int = 0
    erased_users: int = 0
    segments: defaultdict[int, SegmentCounts] = field(default_factory=lambda: defaultdict(SegmentCounts))


@dataclass(slots=True)
class _Way:
    """One user in the window: the segments left since the last erasure, and the causes of the moves."""

    left: set[int] = field(default_factory=set)
    causes: set[str] = field(default_factory=set)
    has_flapped: bool = False


class MoveTally:
    """Counts the changes of one run.

    >>> tally = MoveTally()
    >>> tally.counts.flaps
    0
    """

    def __init__(self) -> None:
        self.counts = MoveCounts()
        self._ways: dict[str, _Way] = defaultdict(_Way)

    def add(self, change: Change, cause_type: str, before: int | None) -> None:
        """Count one change.

        Args:
            change: the change; call this in the order of a user's changes.
            cause_type: the type of its cause: ``signup``, ``order`` or ``model``.
            before: the user's segment before the change; None if unknown. An erasure does not name it.
        """
        counts = self.counts
        if not isinstance(change, SegmentChange):
            counts.erased_users += 1
            if before is not None:
                counts.segments[before].left += 1
            if change.user_id in self._ways:
                self._ways[change.user_id].left.clear()
        elif change.kind != "moved":
            return
        elif change.previous_segment is None:
            counts.new_users += 1
            counts.segments[change.segment].new += 1
        else:
            counts.segments[change.previous_segment].left += 1
            counts.segments[change.segment].entered += 1
            self._move(self._ways[change.user_id], cause_type, change.previous_segment, change.segment)

    def _move(self, way: _Way, cause_type: str, previous: int, segment: int) -> None:
        counts = self.counts
        counts.moves[cause_type] += 1
        counts.moving_users += not way.causes
        counts.movers[cause_type] += cause_type not in way.causes
        way.causes.add(cause_type)
        way.left.add(previous)
        if segment in way.left:
            counts.flaps += 1
            counts.flapping_users += not way.has_flapped
            way.has_flapped = True
