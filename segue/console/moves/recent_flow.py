"""Counts the moves of the last hour from the changes that the console reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from schemas.outputs.segment_change import Change, SegmentChange
from segue.console.moves.flow_facts import Flow, Way, flow_of

WINDOW_MINUTES = 60


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
        return flow_of(total, datetime.fromtimestamp(first * 60, now.tzinfo), "console", now)


def _minute(at: datetime) -> int:
    return int(at.timestamp() // 60)
