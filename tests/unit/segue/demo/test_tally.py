"""What the demo counts, by hand."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest

from schemas.outputs.segment_change import Cause, SegmentChange
from segue.demo.tally import (
    BY_TIME,
    CONFIRMED,
    MOVED,
    NEW,
    UNCONFIRMED,
    Tally,
    clearest_move,
    percentiles,
    usual_move_by_time,
)
from tests.support.inputs.made_change import a_change


def caused(offset: int, **fields: Any) -> SegmentChange:
    return a_change(cause=Cause(type="order", topic="orders", partition=0, offset=offset), **fields)


def test_users_follow_the_changes() -> None:
    tally = Tally({0: "a", 1: "b"})
    tally.populated(Counter({0: 10, 1: 5}))

    tally.change(a_change(previous_segment=None, segment=1))
    tally.change(a_change(previous_segment=0, segment=1))
    tally.change(a_change(kind="confirmed", previous_segment=1, segment=1))
    tally.change(a_change(kind="unconfirmed", previous_segment=1, segment=1))

    assert tally.users == {0: 9, 1: 7}
    assert tally.users_before == {0: 10, 1: 5}
    assert tally.kinds == {NEW: 1, MOVED: 1, CONFIRMED: 1, UNCONFIRMED: 1}


@pytest.mark.parametrize(
    ("values", "expected"),
    [([], None), ([7.0], (7.0, 7.0)), ([4.0, 1.0, 3.0, 2.0], (2.5, 4.0)), (list(range(1, 101)), (50.5, 95))],
)
def test_the_95th_percentile_is_the_smallest_value_that_95_percent_do_not_exceed(
    values: list[float], expected: tuple[float, float] | None
) -> None:
    assert percentiles(values) == expected


def test_the_move_explained_is_the_clearest_of_those_by_a_user_s_first_event() -> None:
    first = {("orders", 0, 1), ("orders", 0, 2), ("orders", 0, 4), ("orders", 0, 5)}
    near = caused(1, previous_segment=0, segment=1, margin=0.2)
    clear = caused(2, previous_segment=0, segment=1, margin=0.7)
    not_first = caused(3, previous_segment=0, segment=1, margin=0.9)
    new = caused(4, previous_segment=None, segment=1, margin=0.9)
    unsure = caused(5, previous_segment=0, segment=1, margin=0.9, provisional=True, missing=("age",))

    assert clearest_move([near, clear, not_first, new, unsure], first) == clear
    assert clearest_move([not_first, new], first) is None


def by_day(user_id: str, **fields: Any) -> SegmentChange:
    cause = Cause(type="time", day=date(2024, 3, 1))
    return a_change(user_id=user_id, previous_segment=0, cause=cause, **fields)


def test_users_moved_by_time_are_counted_apart() -> None:
    tally = Tally({0: "a", 1: "b"})
    for change in (by_day("1", segment=1), by_day("2", segment=1), caused(1, previous_segment=0, segment=1)):
        tally.change(change)
    assert tally.kinds == {BY_TIME: 2, MOVED: 1}


def test_the_move_by_time_explained_is_the_clearest_on_the_way_of_most_users() -> None:
    """Two users go from 0 to 1. A user with an event did not move because of time alone."""
    near, clear = by_day("1", segment=1, margin=0.2), by_day("2", segment=1, margin=0.5)
    rare, ordered = by_day("3", segment=2, margin=0.9), by_day("4", segment=1, margin=0.8)
    by_order = caused(1, previous_segment=0, segment=1, margin=1.0)
    assert usual_move_by_time([near, clear, rare, ordered, by_order], {b"4"}) == clear
    assert usual_move_by_time([by_order, ordered], {b"4"}) is None
