from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from schemas.outputs.crossing import Crossing, crossing, held_before
from schemas.outputs.segment_change import Cause, Change, UserErasedChange
from tests.support.inputs.made_change import a_change

AT = datetime(2024, 12, 3, 19, 30, tzinfo=UTC)
ERASED = UserErasedChange(
    event_id="1" * 32, user_id="7", sequence=9, occurred_at=AT, emitted_at=AT, cause=Cause(type="signup")
)


def moved(before: int | None, to: int, *, provisional: bool = False) -> Change:
    return a_change(kind="moved", previous_segment=before, segment=to, provisional=provisional)


def confirmed(segment: int) -> Change:
    return a_change(kind="confirmed", previous_segment=segment, segment=segment, provisional=False)


def unconfirmed(segment: int) -> Change:
    return a_change(kind="unconfirmed", previous_segment=segment, segment=segment, provisional=True)


@dataclass(frozen=True)
class Life:
    """A user's records, and per record who left and who entered: firm records only, and all records."""

    name: str
    records: list[Change]
    firm: list[tuple[int | None, int | None]]
    all_records: list[tuple[int | None, int | None]]


LIVES = [
    Life("a firm newcomer", [moved(None, 2)], [(None, 2)], [(None, 2)]),
    Life(
        "a provisional signup, then confirmed",
        [moved(None, 2, provisional=True), confirmed(2)],
        [(None, None), (None, 2)],
        [(None, 2), (None, None)],
    ),
    Life(
        "a provisional signup, then elsewhere",
        [moved(None, 2, provisional=True), moved(2, 5)],
        [(None, None), (None, 5)],
        [(None, 2), (2, 5)],
    ),
    Life(
        "no longer sure, then sure again",
        [moved(None, 2), unconfirmed(2), confirmed(2)],
        [(None, 2), (None, None), (None, None)],
        [(None, 2), (None, None), (None, None)],
    ),
    Life(
        "elsewhere provisionally, and back",
        [moved(None, 2), moved(2, 5, provisional=True), moved(5, 2)],
        [(None, 2), (None, None), (None, None)],
        [(None, 2), (2, 5), (5, 2)],
    ),
    Life(
        "elsewhere provisionally, and confirmed there",
        [moved(None, 2), moved(2, 5, provisional=True), confirmed(5)],
        [(None, 2), (None, None), (2, 5)],
        [(None, 2), (2, 5), (None, None)],
    ),
    Life(
        "erased, and back",
        [moved(None, 2), ERASED, moved(None, 2)],
        [(None, 2), (2, None), (None, 2)],
        [(None, 2), (2, None), (None, 2)],
    ),
    Life(
        "erased before any record was firm",
        [moved(None, 2, provisional=True), ERASED],
        [(None, None), (None, None)],
        [(None, 2), (2, None)],
    ),
]


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.name)
@pytest.mark.parametrize("provisional", [False, True], ids=["firm", "all"])
def test_who_left_and_who_entered(life: Life, provisional: bool) -> None:
    held = held_before(life.records[0], provisional=provisional)
    seen = []
    for record in life.records:
        step: Crossing = crossing(held, record, provisional=provisional)
        seen.append((step.left, step.entered))
        held = step.held
    assert seen == (life.all_records if provisional else life.firm)


@pytest.mark.parametrize(
    ("record", "firm", "with_provisional"),
    [
        (moved(None, 2), None, None),
        (moved(4, 2), 4, 4),
        (moved(4, 2, provisional=True), 4, 4),
        (unconfirmed(2), 2, 2),  # it was firm just before
        (confirmed(2), None, 2),  # it was provisional just before
        (ERASED, None, None),
    ],
)
def test_what_a_record_says_of_the_time_before(
    record: Change, firm: int | None, with_provisional: int | None
) -> None:
    assert held_before(record) == firm
    assert held_before(record, provisional=True) == with_provisional
