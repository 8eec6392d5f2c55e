"""What the console says about the moves between segments."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Literal

from msgspec import Struct

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
        counted_by: ``segue flow``, in its tables, or this console, as it reads.
        until: every change that was written before is counted; null if the tables are behind and nobody knows
            since when.
    """

    since: datetime
    moves: int
    steps: tuple[Step, ...]
    segments: tuple[SegmentFlow, ...]
    counted_by: Literal["segue flow", "console"]
    until: datetime | None


class SegmentHour(Struct, frozen=True):
    """How many users entered and left a segment in an hour.

    ``volatility`` is both together, for each user who is in the segment now; null if nobody is.
    """

    id: int
    entered: int
    left: int
    volatility: float | None = None


class Hour(Struct, frozen=True):
    """The moves of an hour that begins at ``begin``, and how many they are; by segment."""

    begin: datetime
    moves: int
    segments: tuple[SegmentHour, ...]


class Hours(Struct, frozen=True):
    """The moves by hour, as `segue flow` has counted them, the newest hour first; empty if it never ran.

    Attributes:
        until: every change that was written before is counted; null if nobody knows.
        newest: when the newest minute began in which a move is counted, or else the newest hour.
        hours: the hours with moves.
    """

    until: datetime | None
    newest: datetime | None
    hours: tuple[Hour, ...]


def segments_of(ways: Counter[Way]) -> tuple[SegmentFlow, ...]:
    """Return what each segment gained and lost by these moves.

    >>> segments_of(Counter({(None, 1): 2, (1, 0): 1}))
    (SegmentFlow(id=0, entered=1, left=0), SegmentFlow(id=1, entered=2, left=1))
    """
    entered, left = Counter[int](), Counter[int]()
    for (previous, segment), count in ways.items():
        entered[segment] += count
        if previous is not None:
            left[previous] += count
    return tuple(SegmentFlow(id_, entered[id_], left[id_]) for id_ in sorted(entered | left))


def flow_of(
    ways: Counter[Way],
    since: datetime,
    counted_by: Literal["segue flow", "console"],
    until: datetime | None,
) -> Flow:
    """Return the flow of these moves."""
    steps = sorted(ways.items(), key=lambda each: (-each[1], each[0][0] or -1, each[0][1]))
    return Flow(
        since,
        ways.total(),
        tuple(Step(*way, count) for way, count in steps),
        segments_of(ways),
        counted_by,
        until,
    )
