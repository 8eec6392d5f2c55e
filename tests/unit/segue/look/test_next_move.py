"""The next decision by the days alone, from releases small enough to derive it by hand."""

from datetime import UTC, date, datetime

import pytest
from msgspec.structs import replace
from rich.console import Console

from schemas.features import Feature
from schemas.input_events import Order
from segue.look import next_move as looks
from segue.look.next_move import next_move
from segue.show.user_card import NextMove, UserCard, card_text
from streamer.user.fold_events import fold
from streamer.user.order_rules import Rules
from streamer.user.user_state import UserState
from tests.unit.streamer.segment.test_due_day import DAYS, a_model, decided

RULES = Rules(features=(Feature("days", "days_since", "last_order"),))
ORDERED = fold(UserState("7"), Order("7", "1", datetime(2024, 5, 1, 9, tzinfo=UTC), ()), RULES)
STATE = replace(ORDERED, decided=decided(0))
# Segment 1 is nearer from 6 days on.
MODEL = a_model((DAYS,), ((0.0,), (10.0,)))


def test_a_user_moves_on_the_first_day_that_is_nearer_to_another_centre() -> None:
    assert next_move(STATE, MODEL, RULES, date(2024, 5, 3)) == NextMove(date(2024, 5, 7), 1, "s1", False)


def test_due_days_without_another_decision_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    due = iter([date(2024, 5, 4), date(2024, 5, 6), date(2024, 5, 7)])
    monkeypatch.setattr(looks, "due_day", lambda *_: next(due))
    assert next_move(STATE, MODEL, RULES, date(2024, 5, 3)) == NextMove(date(2024, 5, 7), 1, "s1", False)


def test_who_never_moves_has_no_next_move() -> None:
    assert next_move(STATE, a_model((DAYS,), ((0.0,), (-10.0,))), RULES, date(2024, 5, 3)) is None
    assert next_move(ORDERED, MODEL, RULES, date(2024, 5, 3)) is None


@pytest.mark.parametrize(
    ("move", "words"),
    [
        (NextMove(date(2024, 5, 7), 1, "Lost", False), "moves to 1 Lost"),
        (NextMove(date(2024, 5, 7), 0, "New", True), "stays there, provisionally"),
        (NextMove(date(2024, 5, 7), 0, "New", False), "stays there, no longer provisionally"),
    ],
)
def test_a_card_says_what_the_days_will_do(move: NextMove, words: str) -> None:
    card = UserCard(
        user_id="7", features={}, components=(0.5,), space="s", segment=0, segment_name="New",
        provisional=False, missing=(), next_move=move,
    )  # fmt: skip
    console = Console(width=200, record=True, file=None)
    with console.capture() as shown:
        console.print(card_text(card))
    assert f"on 2024-05-07 this user {words}, if nothing happens" in shown.get()
    assert card.as_json()["next_move"] == move
