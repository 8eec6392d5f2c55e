"""A record becomes a step, and steps fold into what remains after them."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from schemas.errors import BadChange
from schemas.outputs.segment_change import Cause, UserErasedChange, change_id
from schemas.topics import Topics
from segue.sink.sink_rows import Entry, Erased, Row, batch_of, outlives, read_entry
from streamer.batch.change_records import change_records
from tests.support.inputs.made_change import AT, a_change

CAUSE = Cause(type="order", topic="orders", partition=2, offset=118, positions={"orders": 119, "signups": 40})
AFTER = change_id("eu.", "7", AT, 1)
"""The id of user 7's first change after an erasure at AT."""


def a_row(sequence: int = 1, event_id: str = "1" * 32, user_id: str = "7") -> Row:
    change = a_change(user_id=user_id, sequence=sequence, event_id=event_id)
    entry = read_entry(user_id.encode(), msgspec.json.encode(change), (), 0)
    assert entry is not None
    assert isinstance(entry.step, Row)
    return entry.step


def test_both_records_of_a_change_are_one_row_at_one_place() -> None:
    change = a_change(cause=CAUSE)
    found = [
        read_entry(record.key, record.value, record.headers, 5)
        for record in change_records(change, Topics(), 0, "models", None)
    ]
    assert found[0] == found[1]
    assert found[0] is not None
    assert (found[0].at, found[0].offset) == (159, 5)
    assert isinstance(found[0].step, Row)
    assert (found[0].step.user_id, found[0].step.sequence, found[0].step.cause) == ("7", 2, "order")


def test_both_records_of_an_erasure_are_one_step_at_one_place() -> None:
    erased = UserErasedChange(
        event_id="0" * 32, user_id="7", sequence=3, occurred_at=AT, emitted_at=AT, cause=CAUSE
    )
    records = change_records(erased, Topics(), 0, "models", None)
    assert [record.value is None for record in records] == [False, True]
    found = [read_entry(record.key, record.value, record.headers, 5) for record in records]
    assert found == [Entry(159, 5, Erased("7", AT))] * 2


def test_a_null_without_headers_is_an_erasure_at_an_unknown_time() -> None:
    assert read_entry(b"7", None, (), 5) == Entry(0, 5, Erased("7", None))
    assert read_entry(None, None, (), 5) is None


def test_a_value_of_another_form_is_refused() -> None:
    with pytest.raises(BadChange):
        read_entry(b"7", b"{}", (), 5)


def test_a_change_that_comes_twice_is_one_row() -> None:
    one, two, other = a_row(), a_row(2, "2" * 32), a_row(user_id="8")
    assert batch_of([one, two, one, other, two], "eu.").rows == {
        ("7", 1): one,
        ("7", 2): two,
        ("8", 1): other,
    }


def test_an_erasure_removes_the_users_rows_before_it_and_no_others() -> None:
    other = a_row(user_id="8")
    batch = batch_of([a_row(), other, Erased("7", AT)], "eu.")
    assert batch.rows == {("8", 1): other}
    assert batch.erasures == {"7": AT}


def test_an_erasure_that_comes_late_leaves_the_user_who_came_back() -> None:
    back = a_row(event_id=AFTER)
    assert batch_of([back, Erased("7", AT)], "eu.").rows == {("7", 1): back}
    assert batch_of([back, Erased("7", AT + timedelta(seconds=1))], "eu.").rows == {}
    assert batch_of([back, Erased("7", None)], "eu.").rows == {}


def test_a_number_that_is_given_again_means_an_erasure_that_nobody_saw() -> None:
    again = a_row(event_id="f" * 32)
    batch = batch_of([a_row(), a_row(2, "2" * 32), again], "eu.")
    assert batch.rows == {("7", 1): again}
    assert batch.erasures == {"7": None}


@pytest.mark.parametrize(
    ("prefix", "user_id", "sequence"), [("us.", "7", 1), ("eu.", "8", 1), ("eu.", "7", 2)]
)
def test_the_id_of_a_change_says_which_erasure_it_followed(prefix: str, user_id: str, sequence: int) -> None:
    assert outlives("eu.", "7", 1, AFTER, AT)
    assert not outlives(prefix, user_id, sequence, AFTER, AT)


def test_an_erasure_at_an_unknown_time_is_outlived_by_no_change() -> None:
    assert not outlives("eu.", "7", 1, change_id("eu.", "7", None, 1), None)
