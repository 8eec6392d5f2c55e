from __future__ import annotations

from datetime import UTC, datetime

from segue.console.facts.segment_counts import segment_counts
from segue.console.moves.flow_facts import Flow, Hour, Hours, SegmentFlow, SegmentHour
from segue.console.shown.segment_volatility import with_hourly_volatility, with_volatility
from tests.support.worlds.made_up_release import an_active_model

AT = datetime(2024, 12, 3, tzinfo=UTC)


def test_the_volatility_is_the_moves_for_each_user_of_the_segment() -> None:
    flow = Flow(AT, 6, (), (SegmentFlow(0, 0, 1), SegmentFlow(1, 3, 2)), "console", AT)
    found = with_volatility(segment_counts(an_active_model(), {1: 20, 2: 5}, AT), flow)
    # Nobody is in segment 0 any more; 5 moves by 20 users; none by 5.
    assert [each.volatility for each in found.segments] == [None, 0.25, 0.0, None]


def test_an_hours_volatility_is_for_the_users_of_now() -> None:
    counts = segment_counts(an_active_model(), {1: 20}, AT)
    hours = Hours(AT, AT, (Hour(AT, 5, (SegmentHour(0, 0, 5), SegmentHour(1, 5, 0), SegmentHour(9, 1, 0))),))
    found = with_hourly_volatility(hours, counts).hours[0]
    # Nobody is in segment 0 now; 5 moves by 20 users; nobody knows segment 9.
    assert [each.volatility for each in found.segments] == [None, 0.25, None]
