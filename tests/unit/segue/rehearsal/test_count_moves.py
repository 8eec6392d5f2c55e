"""Moves, flaps, entered and left, counted by hand."""

from __future__ import annotations

from msgspec.structs import replace

from schemas.outputs.segment_change import Change, UserErasedChange
from segue.rehearsal.count_moves import MoveCounts, MoveTally, SegmentCounts
from tests.support.inputs.made_change import a_change

Step = tuple[str, str, int | None, int | None]


def counts_of(*steps: Step) -> MoveCounts:
    """Count steps: the user, the type of the cause, the segment before and after; None after: erased."""
    tally = MoveTally()
    for number, (user_id, cause, before, after) in enumerate(steps):
        tally.add(a_step(user_id, number, before, after), cause, before)
    return tally.counts


def a_step(user_id: str, number: int, before: int | None, after: int | None) -> Change:
    made = a_change()
    if after is None:
        return UserErasedChange(
            event_id=f"{number}",
            user_id=user_id,
            sequence=number,
            occurred_at=made.occurred_at,
            emitted_at=made.emitted_at,
            cause=made.cause,
        )
    return replace(made, kind="moved", user_id=user_id, previous_segment=before, segment=after)


def test_a_user_flaps_who_returns_to_a_segment_left() -> None:
    counts = counts_of(
        ("7", "order", 0, 1),
        ("8", "order", 1, 0),  # another user's way
        ("7", "signup", 1, 2),
        ("7", "order", 2, 1),  # the first flap: 1 was left
        ("7", "order", 1, 0),  # the second: 0 was left
    )
    assert (counts.flaps, counts.flapping_users) == (2, 1)
    assert counts.moves == {"order": 4, "signup": 1}
    assert counts.movers == {"order": 2, "signup": 1}
    assert counts.moving_users == 2
    assert counts.segments == {
        0: SegmentCounts(entered=2, left=1),
        1: SegmentCounts(entered=2, left=3),
        2: SegmentCounts(entered=1, left=1),
    }


def test_a_first_segment_is_no_move() -> None:
    counts = counts_of(("7", "signup", None, 3), ("7", "order", 3, 1), ("7", "order", 1, 3))
    assert (counts.new_users, counts.moving_users, counts.flaps) == (1, 1, 1)
    assert counts.segments[3] == SegmentCounts(new=1, entered=1, left=1)


def test_an_erasure_ends_a_life() -> None:
    counts = counts_of(
        ("7", "order", 0, 1),
        ("7", "signup", 1, None),
        ("7", "order", None, 2),
        ("7", "order", 2, 0),  # a new life: no return to 0
        ("8", "signup", 2, None),
    )
    assert (counts.erased_users, counts.new_users, counts.flaps) == (2, 1, 0)
    assert counts.segments[1].left == 1
    assert counts.segments[2].left == 2


def test_a_confirmation_counts_nowhere() -> None:
    tally = MoveTally()
    for kind in ("confirmed", "unconfirmed"):
        tally.add(replace(a_change(), kind=kind, previous_segment=1, segment=1), "order", 1)
    assert tally.counts == MoveCounts()
