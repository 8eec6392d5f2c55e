"""How much the users of each segment move. Pure."""

from __future__ import annotations

from msgspec import structs

from segue.console.facts.segment_counts import SegmentCounts
from segue.console.moves.flow_facts import Flow, Hours


def with_volatility(counts: SegmentCounts, flow: Flow) -> SegmentCounts:
    """Return the counts with the volatility of each segment."""
    moves = {each.id: each.entered + each.left for each in flow.segments}
    return structs.replace(
        counts,
        segments=tuple(
            structs.replace(each, volatility=moves.get(each.id, 0) / each.users if each.users else None)
            for each in counts.segments
        ),
    )


def with_hourly_volatility(hours: Hours, counts: SegmentCounts) -> Hours:
    """Return the hours with the volatility of each segment, for its users of now."""
    users = {each.id: each.users for each in counts.segments}
    return structs.replace(
        hours,
        hours=tuple(
            structs.replace(
                hour,
                segments=tuple(
                    structs.replace(
                        each,
                        volatility=(each.entered + each.left) / users[each.id]
                        if users.get(each.id)
                        else None,
                    )
                    for each in hour.segments
                ),
            )
            for hour in hours.hours
        ),
    )
