"""Changes in words."""

from __future__ import annotations

from schemas.outputs.segment_change import Cause, SimilarUser, UserErasedChange
from segue.show.change_text import change_text
from tests.support.inputs.made_change import AT, a_change


def test_a_move_names_both_segments_the_cause_and_the_users_alike() -> None:
    change = a_change(similar_users=(SimilarUser("12", 1.0, 1), SimilarUser("13", 0.9, None)))

    assert change_text(change).plain == (
        "19:30:00  user 7 moved 0 → 1 older men by an order, orders/2@118\n          like 12 (1), 13 (none)"
    )


def test_a_first_segment_and_a_provisional_one_are_told_as_such() -> None:
    change = a_change(
        previous_segment=None, provisional=True, missing=("age",), cause=Cause(type="bootstrap")
    )

    assert change_text(change).plain == (
        "19:30:00  user 7 is new in 1 older men (provisional, no age) from the warehouse"
    )


def test_the_other_kinds_have_words_of_their_own() -> None:
    sure = change_text(a_change(kind="confirmed", previous_segment=1)).plain
    unsure = change_text(a_change(kind="unconfirmed", previous_segment=1)).plain
    erased = UserErasedChange(
        event_id="0", user_id="7", sequence=3, occurred_at=AT, emitted_at=AT, cause=Cause(type="signup")
    )

    assert "user 7 confirmed in 1 older men" in sure
    assert "user 7 no longer sure of 1 older men" in unsure
    assert change_text(erased).plain == "19:30:00  user 7 erased by an erasure"


def test_what_stands_in_a_name_is_no_markup() -> None:
    assert "1 [red]men" in change_text(a_change(segment_name="[red]men")).plain
