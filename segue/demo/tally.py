"""The demo's counts."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.outputs.segment_change import Change, SegmentChange

NEW, MOVED, CONFIRMED, UNCONFIRMED = "new users placed", "moved", "confirmed", "no longer sure"
BY_TIME = "moved by time"
KINDS = (NEW, MOVED, CONFIRMED, UNCONFIRMED)
"""The kinds that events cause."""
_KIND_OF = {"moved": MOVED, "confirmed": CONFIRMED, "unconfirmed": UNCONFIRMED}


@dataclass(slots=True)
class Tally:
    """The counts, and all changes; a demo has a few thousand changes.

    Attributes:
        names: the segments' names by id.
        users: how many users each segment has now.
    """

    names: Mapping[int, str]
    users: Counter[int] = field(default_factory=Counter)
    users_before: Counter[int] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    changes: list[SegmentChange] = field(default_factory=list)
    dead_letters: list[str] = field(default_factory=list)
    sent: int = 0

    def populated(self, users: Counter[int]) -> None:
        """Set the users of the history, by segment."""
        self.users, self.users_before = users.copy(), users.copy()

    def change(self, change: Change) -> None:
        """Count a change."""
        if not isinstance(change, SegmentChange):
            return
        self.changes.append(change)
        if change.previous_segment is None:
            self.kinds[NEW] += 1
            self.users[change.segment] += 1
            return
        self.kinds[BY_TIME if by_time(change) else _KIND_OF[change.kind]] += 1
        if change.kind == "moved":
            self.users[change.previous_segment] -= 1
            self.users[change.segment] += 1


def percentiles(milliseconds: list[float]) -> tuple[float, float] | None:
    """Return the median and the 95th percentile (95% of the values do not exceed it); None without values.

    >>> percentiles([1, 2, 3, 4, 100])
    (3, 100)
    """
    if not milliseconds:
        return None
    ordered = sorted(milliseconds)
    return statistics.median(ordered), ordered[-(-len(ordered) * 95 // 100) - 1]


def by_time(change: SegmentChange) -> bool:
    """Whether the user moved because a day began, and not because of an event."""
    return change.kind == "moved" and change.cause.type == "time"


def usual_move_by_time(changes: list[SegmentChange], with_events: set[bytes | None]) -> SegmentChange | None:
    """Choose the move by time to explain: the one with the largest margin on the way that most users go.

    Args:
        changes: all changes.
        with_events: the keys of the users with events. The other users' facts are those of the history.

    Returns:
        The move; None if there is none.
    """
    moves = [change for change in changes if by_time(change) and change.user_id.encode() not in with_events]
    ways = Counter((change.previous_segment, change.segment) for change in moves)
    return max(
        moves,
        key=lambda each: (ways[each.previous_segment, each.segment], each.segment, each.margin, each.user_id),
        default=None,
    )


def clearest_move(
    changes: list[SegmentChange], first_causes: set[tuple[str, int, int]]
) -> SegmentChange | None:
    """Choose the move to explain: the move with the largest margin after a user's first event.

    Args:
        changes: all changes.
        first_causes: topic, partition and offset of each user's first event. Before such an event the user's
            features are those of the history.

    Returns:
        The move; None if there is none.
    """
    moves = [
        change
        for change in changes
        if change.kind == "moved"
        and change.previous_segment is not None
        and not change.provisional
        and (change.cause.topic, change.cause.partition, change.cause.offset) in first_causes
    ]
    return max(moves, key=lambda change: (change.margin, change.user_id), default=None)
