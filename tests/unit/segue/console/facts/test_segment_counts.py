from __future__ import annotations

from datetime import UTC, datetime

from segue.console.facts.segment_counts import SegmentCount, segment_counts
from tests.support.worlds.made_up_release import an_active_model

AT = datetime(2024, 12, 3, tzinfo=UTC)


def test_the_segments_of_the_release_come_first_then_those_that_still_have_users() -> None:
    found = segment_counts(an_active_model(3), {9: 5, 1: 15}, AT)
    assert (found.activation, found.users) == (3, 20)
    assert found.segments == (
        SegmentCount(0, "segment 0", 10, 0, 0.0),
        SegmentCount(1, "segment 1", 10, 15, 0.75),
        SegmentCount(2, "segment 2", 10, 0, 0.0),
        SegmentCount(3, "segment 3", 10, 0, 0.0),
        SegmentCount(9, None, None, 5, 0.25),
    )


def test_without_release_and_users_nothing_is_made_up() -> None:
    found = segment_counts(None, {}, AT)
    assert (found.version, found.activation, found.users, found.segments) == (None, None, 0, ())
    assert segment_counts(an_active_model(), {}, AT).segments[0].share is None
