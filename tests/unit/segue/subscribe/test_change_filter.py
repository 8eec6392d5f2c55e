from __future__ import annotations

from datetime import UTC, datetime

import pytest

from schemas.outputs.segment_change import Cause, Change, UserErasedChange
from segue.subscribe.change_filter import ChangeFilter, Known
from tests.support.inputs.made_change import a_change

AT = datetime(2024, 12, 3, 19, 30, tzinfo=UTC)
ERASED = UserErasedChange(
    event_id="1" * 32, user_id="7", sequence=9, occurred_at=AT, emitted_at=AT, cause=Cause(type="signup")
)
NEWCOMER = a_change(previous_segment=None, segment=2)
UNSURE = a_change(previous_segment=None, segment=2, provisional=True)
CONFIRMED = a_change(kind="confirmed", previous_segment=2, segment=2)
ON = a_change(previous_segment=2, segment=5)


def held(segment: int | None) -> Known:
    return Known("0" * 32, segment)


@pytest.mark.parametrize(
    ("wanted", "known", "change", "answer"),
    [
        (ChangeFilter(), None, NEWCOMER, True),
        (ChangeFilter(), None, UNSURE, False),
        (ChangeFilter(provisional=True), None, UNSURE, True),
        (ChangeFilter(), held(2), CONFIRMED, True),  # nobody asked only for who enters
        (ChangeFilter(), held(None), ERASED, True),
        # Who enters a segment, or any.
        (ChangeFilter(only="entering"), held(None), NEWCOMER, True),
        (ChangeFilter(2, only="entering"), held(None), NEWCOMER, True),
        (ChangeFilter(5, only="entering"), held(None), NEWCOMER, False),
        (ChangeFilter(2, only="entering"), held(None), UNSURE, False),
        (ChangeFilter(2, only="entering"), held(None), CONFIRMED, True),
        (ChangeFilter(2, only="entering"), held(2), CONFIRMED, False),
        (ChangeFilter(2, only="entering", provisional=True), held(2), CONFIRMED, False),
        (ChangeFilter(2, only="entering"), held(2), ON, False),
        (ChangeFilter(only="entering"), held(2), ERASED, False),
        # Who leaves.
        (ChangeFilter(2, only="leaving"), held(2), ON, True),
        (ChangeFilter(2, only="leaving"), held(None), ON, False),  # was in 2 only provisionally
        (ChangeFilter(5, only="leaving"), held(2), ON, False),
        (ChangeFilter(only="leaving"), held(None), NEWCOMER, False),
        (ChangeFilter(2, only="leaving"), held(2), ERASED, True),
        (ChangeFilter(5, only="leaving"), held(2), ERASED, False),
        (ChangeFilter(only="leaving"), held(None), ERASED, False),  # nobody was told that it came
        # Who has to do with a segment.
        (ChangeFilter(2), held(2), ON, True),
        (ChangeFilter(5), held(2), ON, True),
        (ChangeFilter(3), held(2), ON, False),
        (ChangeFilter(2), held(2), CONFIRMED, True),
        (ChangeFilter(2), held(2), ERASED, True),
        (ChangeFilter(5), held(2), ERASED, False),
        # A user whom the reader has not met: the change itself says where it was; an erasure does not.
        (ChangeFilter(2, only="leaving"), None, ON, True),
        (ChangeFilter(2, only="leaving"), None, ERASED, True),
        (ChangeFilter(2), None, ERASED, True),
        (ChangeFilter(2, only="entering"), None, ERASED, False),
    ],
)
def test_what_a_reader_wants(wanted: ChangeFilter, known: Known | None, change: Change, answer: bool) -> None:
    assert wanted.wants(known, change) is answer
