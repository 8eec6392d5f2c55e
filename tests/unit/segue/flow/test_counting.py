from __future__ import annotations

import pytest

from schemas.errors import BadChange
from schemas.outputs.segment_change import Cause, UserErasedChange
from schemas.outputs.wire import encode_change
from segue.flow.chained_consumer import BEFORE_SEEK
from segue.flow.counting import Counting, Skipped
from segue.flow.moved_row import Way
from tests.support.inputs.made_change import AT, a_change

MOVED = encode_change(a_change(event_id="a", previous_segment=None, segment=1))
ERASED = UserErasedChange(
    event_id="b", user_id="7", sequence=3, occurred_at=AT, emitted_at=AT, cause=Cause(type="signup")
)


class Notes:
    """A table that notes what it is asked to count."""

    def __init__(self) -> None:
        self.counted: list[tuple[Way, float, int, str]] = []

    def count(self, way: Way, at_s: float, offset: int, event_id: str) -> None:
        self.counted.append((way, at_s, offset, event_id))


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def counting(notes: Notes) -> Counting:
    counting = Counting("segment-changes", "id", [notes])
    counting.begin({3: 10})
    return counting


def test_a_move_counts_in_the_hour_in_which_it_was_decided(counting: Counting, notes: Notes) -> None:
    counting.take(3, 10, 12, MOVED)  # 10 and 11 are aborted records or markers
    assert notes.counted == [(Way("id", 3, None, 1), AT.timestamp(), 12, "a")]
    assert counting.reached() == {3: 13}


@pytest.mark.parametrize(
    "value",
    [
        encode_change(a_change(kind="confirmed", previous_segment=1, segment=1)),
        encode_change(ERASED),
        None,
    ],
)
def test_other_changes_are_no_moves(counting: Counting, notes: Notes, value: bytes | None) -> None:
    counting.take(3, 10, 10, value)
    assert (notes.counted, counting.reached()) == ([], {3: 11})


def test_a_record_that_came_before_is_not_counted_again(counting: Counting, notes: Notes) -> None:
    counting.take(3, 8, 9, MOVED)
    assert (notes.counted, counting.reached()) == ([], {3: 10})


@pytest.mark.parametrize(("partition", "read_from"), [(4, 0), (3, BEFORE_SEEK)])
def test_a_record_that_was_fetched_before_the_seek_comes_again(
    counting: Counting, notes: Notes, partition: int, read_from: int
) -> None:
    counting.take(partition, read_from, 50, MOVED)
    assert (notes.counted, counting.reached()) == ([], {3: 10})


def test_a_hole_is_an_error_and_nothing_behind_it_is_counted(counting: Counting, notes: Notes) -> None:
    with pytest.raises(Skipped, match="partition 3, went on at offset 11 instead of 10"):
        counting.take(3, 11, 11, MOVED)
    assert (notes.counted, counting.reached()) == ([], {3: 10})


def test_a_change_of_another_version_is_an_error(counting: Counting) -> None:
    with pytest.raises(BadChange):
        counting.take(3, 10, 10, b"{}")
    assert counting.reached() == {3: 10}


def test_a_second_seek_counts_on_where_the_first_came(counting: Counting, notes: Notes) -> None:
    counting.take(3, 10, 10, MOVED)
    counting.begin({3: 10, 4: 7})
    assert counting.reached() == {3: 11, 4: 7}
    counting.take(3, 10, 10, MOVED)
    assert len(notes.counted) == 1


def test_what_was_given_up_begins_at_the_committed_offset_again(counting: Counting) -> None:
    counting.take(3, 10, 10, MOVED)
    counting.begin({})
    counting.begin({3: 10})
    assert counting.reached() == {3: 10}
