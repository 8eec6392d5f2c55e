"""The moves of a day by hour and segment, as small pictures. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from segue.console.moves.flow_facts import Hours, SegmentHour

HOURS = 24
BAR, HALF = 10, 20
"""How wide an hour is in the picture, and how high the most moves of an hour are, in units of the SVG."""
_GAP = 2


class HourChart(Struct, frozen=True):
    """One segment's day.

    Attributes:
        id: the segment.
        entered: how many users entered it in these hours.
        left: how many left it.
        up: the path of the bars of those who entered, above the middle.
        down: the path of the bars of those who left, below it.
        words: the same in words, for who does not see it.
    """

    id: int
    entered: int
    left: int
    up: str
    down: str
    words: str


def hour_charts(hours: Hours, now: datetime) -> tuple[HourChart, ...]:
    """Return a picture for each segment with moves in the last 24 hours; the last of them is the present one.

    All have one scale, so the bars of two segments can be compared.

    Args:
        hours: the moves by hour.
        now: the present time.
    """
    first = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
    found: dict[int, list[tuple[datetime, SegmentHour]]] = {}
    for hour in reversed(hours.hours):
        if hour.begin >= first:
            for each in hour.segments:
                found.setdefault(each.id, []).append((hour.begin, each))
    most = max((max(one.entered, one.left) for day in found.values() for _, one in day), default=1)

    def path(
        day: Sequence[tuple[datetime, SegmentHour]], moves: Callable[[SegmentHour], int], way: int
    ) -> str:
        bars = []
        for begin, one in day:
            x = int((begin - first) / timedelta(hours=1)) * BAR
            height = round(HALF * moves(one) / most, 1)
            if height:
                bars.append(f"M{x} {HALF}h{BAR - _GAP}v{way * height}h-{BAR - _GAP}z")
        return "".join(bars)

    return tuple(
        HourChart(
            segment,
            sum(one.entered for _, one in day),
            sum(one.left for _, one in day),
            path(day, lambda one: one.entered, -1),
            path(day, lambda one: one.left, 1),
            "; ".join(f"{begin:%H:%M} {one.entered:,} entered, {one.left:,} left" for begin, one in day),
        )
        for segment, day in sorted(found.items())
    )
