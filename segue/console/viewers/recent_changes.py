"""The newest changes, and how many there were in the last minute."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.outputs.segment_change import Change

KEPT = 20
WINDOW_S = 60


class RecentChanges:
    """Keeps a few changes and one number for each second. Times are seconds that never go back.

    One thread adds, any thread reads: what is kept is replaced and never mutated, so a reader has a snapshot.
    """

    def __init__(self) -> None:
        self._newest: tuple[Change, ...] = ()
        self._by_second: tuple[tuple[int, int], ...] = ()

    def add(self, changes: Sequence[Change], now_s: float) -> None:
        """Add changes that were read at a time."""
        self._newest = (*self._newest, *changes)[-KEPT:]
        second, count, before = int(now_s), len(changes), self._by_second
        if before and before[-1][0] == second:
            count += before[-1][1]
            before = before[:-1]
        self._by_second = (*before, (second, count))[-WINDOW_S:]

    def newest(self) -> tuple[Change, ...]:
        """Return the newest changes, the newest first."""
        return self._newest[::-1]

    def in_last_minute(self, now_s: float) -> int:
        """Return how many changes were read in the last minute."""
        return sum(count for second, count in self._by_second if second > int(now_s) - WINDOW_S)
