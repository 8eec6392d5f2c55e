from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from schemas.topics import Topics
from segue.console.moves.flow_facts import SegmentFlow, SegmentHour, Step
from segue.console.moves.table_moves import TableMoves
from segue.flow.changelog_rows import BadRow

TOPICS = Topics("eu.")
NOW = datetime(2024, 12, 3, 8, 20, 30, tzinfo=UTC)
HOUR, MINUTE = NOW.replace(minute=0, second=0), NOW.replace(second=0)


def key(begin: datetime, partition: int, previous: int | None, segment: int) -> bytes:
    begin_s = begin.timestamp()
    return msgspec.json.encode((("id", partition, previous, segment), (begin_s, begin_s + 0.1)))


def row(moves: int, next_: int = 9) -> bytes:
    return msgspec.json.encode({"moves": moves, "next": next_, "ids": ["a"]})


@pytest.fixture
def moves() -> TableMoves:
    return TableMoves(TOPICS)


def test_the_rows_of_all_partitions_are_added_up(moves: TableMoves) -> None:
    moves.take(TOPICS.flow_hours, key(HOUR, 0, 1, 0), row(2))
    moves.take(TOPICS.flow_hours, key(HOUR, 1, 1, 0), row(3))
    moves.take(TOPICS.flow_hours, key(HOUR - timedelta(hours=3), 1, None, 1), row(4))
    found = moves.hours(NOW)
    assert [(each.begin, each.moves) for each in found.hours] == [(HOUR, 5), (HOUR - timedelta(hours=3), 4)]
    assert found.hours[0].segments == (SegmentHour(0, 5, 0), SegmentHour(1, 0, 5))
    assert (found.until, found.newest) == (NOW, HOUR)


def test_of_a_row_the_record_that_counted_furthest_counts(moves: TableMoves) -> None:
    """A process that was paused may write an older one later."""
    for moved, reached in ((2, 5), (7, 12), (3, 6)):
        moves.take(TOPICS.flow_hours, key(HOUR, 0, 1, 0), row(moved, reached))
    assert moves.hours(None).hours[0].moves == 7


def test_the_flow_is_that_of_the_last_sixty_minutes(moves: TableMoves) -> None:
    moves.take(TOPICS.flow_hours, key(HOUR, 0, 1, 0), row(9))
    for minutes, moved in ((0, 1), (59, 2), (60, 4)):
        moves.take(TOPICS.flow_minutes, key(MINUTE - timedelta(minutes=minutes), 0, None, 1), row(moved))
    flow = moves.flow(NOW, NOW)
    assert flow is not None
    assert (flow.since, flow.moves, flow.counted_by) == (MINUTE - timedelta(minutes=59), 3, "segue flow")
    assert flow.steps == (Step(None, 1, 3),)
    assert flow.segments == (SegmentFlow(1, 3, 0),)


def test_windows_that_are_no_longer_kept_are_forgotten(moves: TableMoves) -> None:
    moves.take(TOPICS.flow_hours, key(HOUR - timedelta(days=8), 0, 1, 0), row(2))
    moves.forget(NOW)
    assert moves.hours(NOW).hours == ()
    assert moves.flow(NOW, NOW) is None, "as if it never ran"


@pytest.mark.parametrize(("bad_key", "value"), [(b"x", row(1)), (key(HOUR, 0, 1, 0), b"[]")])
def test_a_record_of_others_is_refused(moves: TableMoves, bad_key: bytes, value: Any) -> None:
    with pytest.raises(BadRow, match="was it written by `segue flow`"):
        moves.take(TOPICS.flow_hours, bad_key, value)
