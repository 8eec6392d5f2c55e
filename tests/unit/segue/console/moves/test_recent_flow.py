from __future__ import annotations

from datetime import UTC, datetime, timedelta

from segue.console.moves.flow_facts import Flow, SegmentFlow, Step
from segue.console.moves.recent_flow import RecentFlow
from tests.support.inputs.made_change import a_change

BEGAN = datetime(2024, 12, 3, 8, 0, 30, tzinfo=UTC)
NEW, BACK = a_change(previous_segment=None, segment=1), a_change(previous_segment=1, segment=0)
SURE = a_change(kind="confirmed", previous_segment=1, segment=1)


def at(minutes: int) -> datetime:
    return BEGAN + timedelta(minutes=minutes)


def test_moves_are_counted_by_way_and_segment_and_other_changes_are_not() -> None:
    recent = RecentFlow(BEGAN)
    recent.add([NEW, BACK, SURE], at(1))
    recent.add([BACK], at(2))
    assert recent.flow(at(3)) == Flow(
        datetime(2024, 12, 3, 8, 0, tzinfo=UTC),
        3,
        (Step(1, 0, 2), Step(None, 1, 1)),
        (SegmentFlow(0, 2, 0), SegmentFlow(1, 1, 2)),
        "console",
        at(3),
    )


def test_a_move_is_forgotten_after_an_hour() -> None:
    recent = RecentFlow(BEGAN)
    recent.add([NEW], at(0))
    recent.add([BACK], at(59))
    assert recent.flow(at(59)).moves == 2
    assert recent.flow(at(60)).steps == (Step(1, 0, 1),)
    assert recent.flow(at(60)).since == datetime(2024, 12, 3, 8, 1, tzinfo=UTC)
    assert recent.flow(at(500)).moves == 0
