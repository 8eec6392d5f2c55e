"""How much the users of each segment move. Pure."""

from __future__ import annotations

from msgspec import structs

from segue.console.facts.segment_counts import SegmentCounts
from segue.console.viewers.recent_flow import Flow


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
