"""Knows until when everything is counted. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import datetime

_MOST = 1_000


class Reach:
    """Compares the group's committed offsets with where the changes ended at former times."""

    def __init__(self) -> None:
        self._ends: deque[tuple[datetime, dict[int, int]]] = deque(maxlen=_MOST)
        self.until: datetime | None = None

    def look(self, at: datetime, ends: Mapping[int, int], counted: Mapping[int, int]) -> None:
        """Note where the changes ended at a time, and find the last such time before which all are counted.

        Args:
            at: the time, before ``ends`` was asked for.
            ends: the end of each partition of the changes.
            counted: the next offset to count, by partition, asked for later.
        """
        self._ends.append((at, dict(ends)))
        while self._ends and _is_counted(self._ends[0][1], counted):
            self.until = self._ends.popleft()[0]


def _is_counted(ends: Mapping[int, int], counted: Mapping[int, int]) -> bool:
    # The last offset before the end is the marker of a transaction, which no reader sees.
    return all(counted.get(partition, 0) >= end - 1 for partition, end in ends.items())
