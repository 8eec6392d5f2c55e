"""The newest changes, and how many there were in the last minute."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from schemas.outputs.segment_change import Change

KEPT = 20
WINDOW_S = 60


class RecentChanges:
    """Keeps a few changes and one number for each second. Times are seconds that never go back."""

    def __init__(self) -> None:
        self._newest: deque[Change] = deque(maxlen=KEPT)
        self._by_second: deque[tuple[int, int]] = deque(maxlen=WINDOW_S)

    def add(self, changes: Sequence[Change], now_s: float) -> None:
        """Add changes that were read at a time."""
        self._newest.extend(changes)
        second, count = int(now_s), len(changes)
        if self._by_second and self._by_second[-1][0] == second:
            count += self._by_second.pop()[1]
        self._by_second.append((second, count))

    def newest(self) -> tuple[Change, ...]:
        """Return the newest changes, the newest first."""
        return tuple(reversed(self._newest))

    def in_last_minute(self, now_s: float) -> int:
        """Return how many changes were read in the last minute."""
        return sum(count for second, count in self._by_second if second > int(now_s) - WINDOW_S)
