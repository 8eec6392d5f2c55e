"""Who went from which segment to which in the last hour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from schemas.outputs.segment_change import Change, SegmentChange

WINDOW_MINUTES = 60

Way = tuple[int | None, int]
"""The former segment, None for a new user, and the present segment."""


class Step(Struct, frozen=True):
    """How many moves there were from one segment to another; ``previous`` is null for new users."""

    previous: int | None
    segment: int
    moves: int


class SegmentFlow(Struct, frozen=True):
    """How many users entered and left a segment; a user who came and went counts for both."""

    id: int
    entered: int
    left: int


class Flow(Struct, frozen=True):
    """The moves between segments of the last hour, or since the console began to read.

    Attributes:
        since: when the first of these minutes began.
        moves: how many moves there were.
        steps: by former and present segment, the most frequent first.
        segments: by segment.
    """

    since: datetime
    moves: int
    steps: tuple[Step, ...]
    segments: tuple[SegmentFlow, ...]


class RecentFlow:
    """Counts the moves by minute, and keeps an hour of them.

    One thread adds, any thread reads: what is kept is replaced and never mutated, so a reader has a snapshot.

    Args:
        began_at: the present time.
    """

    def __init__(self, began_at: datetime) -> None:
        self._began = _minute(began_at)
        self._by_minute: tuple[tuple[int, Counter[Way]], ...] = ()

    def add(self, changes: Sequence[Change], now: datetime) -> None:
        """Add changes that were read at a time."""
        minute, before = _minute(now), self._by_minute
        counts = Counter[Way]()
        if before and before[-1][0] == minute:
            counts += before[-1][1]
            before = before[:-1]
        counts.update(
            (change.previous_segment, change.segment)
            for change in changes
            if isinstance(change, SegmentChange) and change.kind == "moved"
        )
        self._by_minute = (*before, (minute, counts))[-WINDOW_MINUTES:]

    def flow(self, now: datetime) -> Flow:
        """Return the moves of the last hour."""
        first = max(self._began, _minute(now) - WINDOW_MINUTES + 1)
        total: Counter[Way] = Counter()
        for minute, counts in self._by_minute:
            if minute >= first:
                total += counts
        entered, left = Counter[int](), Counter[int]()
        for (previous, segment), count in total.items():
            entered[segment] += count
            if previous is not None:
                left[previous] += count
        steps = sorted(total.items(), key=lambda each: (-each[1], each[0][0] or -1, each[0][1]))
        return Flow(
            datetime.fromtimestamp(first * 60, now.tzinfo),
            total.total(),
            tuple(Step(*way, count) for way, count in steps),
            tuple(SegmentFlow(id_, entered[id_], left[id_]) for id_ in sorted(entered | left)),
        )


def _minute(at: datetime) -> int:
    return int(at.timestamp() // 60)
