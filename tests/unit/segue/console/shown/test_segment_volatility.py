from __future__ import annotations

from datetime import UTC, datetime

from segue.console.facts.segment_counts import segment_counts
from segue.console.shown.segment_volatility import with_volatility
from segue.console.viewers.recent_flow import Flow, SegmentFlow
from tests.support.worlds.made_up_release import an_active_model

AT = datetime(2024, 12, 3, tzinfo=UTC)


def test_the_volatility_is_the_moves_for_each_user_of_the_segment() -> None:
    flow = Flow(AT, 6, (), (SegmentFlow(0, 0, 1), SegmentFlow(1, 3, 2)))
    found = with_volatility(segment_counts(an_active_model(), {1: 20, 2: 5}, AT), flow)
    # Nobody is in segment 0 any more; 5 moves by 20 users; none by 5.
    assert [each.volatility for each in found.segments] == [None, 0.25, 0.0, None]
