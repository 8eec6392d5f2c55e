"""A user for programs and for people; and the features of one that is only thought of."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from msgspec import structs
from rich.console import Console

from schemas.features import Feature
from schemas.outputs.segment_change import SimilarUser
from segue.config.command_line import BadUsage
from segue.look.what_if import check_features, parse_declared
from segue.show.user_card import UserCard, card_text
from streamer.segment.scoring import Score
from streamer.user.history import Entered

SCORE = Score(1, "older men", (0.5, -1.25), 0.75, 0.5, ("gender",))
STORED = UserCard(
    user_id="7",
    features={"age": 31, "gender": "X", "total_orders": None},
    components=(0.5, -1.25),
    space="fff59ca020a6",
    segment=1,
    segment_name="older men",
    provisional=True,
    missing=("gender", "total_orders"),
    sequence=2,
    model_version="cf24",
    activation=3,
    positions={"signups": 5, "orders": 6},
    score=SCORE,
    similar_users=(SimilarUser("12", 1.0, 1),),
    history=(
        Entered(1, datetime(2024, 5, 1, tzinfo=UTC), 0, "young men", None, "ab12", "signup", "signups", 1, 4),
        Entered(2, datetime(2024, 6, 1, 8, tzinfo=UTC), 1, "older men", 0, "cf24", "model", "models", 0, 3),
    ),
)


def shown(card: UserCard) -> str:
    out = io.StringIO()
    Console(file=out, width=120).print(card_text(card))
    return out.getvalue()


def test_for_programs_all_fields_have_their_names() -> None:
    assert STORED.as_json() == {
        "user_id": "7",
        "features": {"age": 31, "gender": "X", "total_orders": None},
        "components": (0.5, -1.25),
        "segment": 1,
        "segment_name": "older men",
        "provisional": True,
        "missing": ("gender", "total_orders"),
        "sequence": 2,
        "model_version": "cf24",
        "activation": 3,
        "positions": {"signups": 5, "orders": 6},
        "distance": 0.75,
        "margin": 0.5,
        "similar_users": (SimilarUser("12", 1.0, 1),),
        "history": [
            {
                "sequence": 1,
                "at": datetime(2024, 5, 1, tzinfo=UTC),
                "segment": 0,
                "segment_name": "young men",
                "previous_segment": None,
                "model_version": "ab12",
                "cause_type": "signup",
                "topic": "signups",
                "partition": 1,
                "offset": 4,
            },
            {
                "sequence": 2,
                "at": datetime(2024, 6, 1, 8, tzinfo=UTC),
                "segment": 1,
                "segment_name": "older men",
                "previous_segment": 0,
                "model_version": "cf24",
                "cause_type": "model",
                "topic": "models",
                "partition": 0,
                "offset": 3,
            },
        ],
    }


def test_people_read_the_newest_entry_first() -> None:
    told = shown(STORED)
    newest = told.index("#2  2024-06-01 08:00:00  1 older men  by another model, models/0@3")
    assert newest < told.index("#1  2024-05-01 00:00:00  0 young men  by a signup, signups/1@4")
    assert "older than" not in told


def test_where_times_go_back_people_read_that_the_cause_is_older() -> None:
    """The order came before the signup."""
    signup, order = STORED.history or ()
    order = structs.replace(
        order, sequence=1, cause_type="order", topic="orders", at=signup.at + timedelta(1)
    )
    told = shown(replace(STORED, history=(order, structs.replace(signup, sequence=2))))
    assert "#2  2024-05-01 00:00:00  0 young men  by a signup, signups/1@4 (older than #1)" in told
    assert "#1  2024-05-02 00:00:00  1 older men  by an order, orders/0@3 " in told


def test_for_people_a_missing_value_and_an_unknown_one_are_told_apart() -> None:
    told = shown(STORED)

    assert "User 7" in told
    assert "no gender, total_orders: the training mean stands in" in told
    assert "X (unknown to the model)" in told
    assert "50% nearer than the next centre" in told
    assert "signups@5, orders@6" in told


def test_huge_numbers_are_short_and_blanks_at_the_ends_of_an_id_are_seen() -> None:
    score = Score(1, "older men", (1e300, 0.5), 1e300, 0.5, ())
    told = shown(replace(STORED, user_id="7 ", components=(1e300, 0.5), score=score))
    assert 'User "7 "' in told
    assert "1e+300, 0.500" in told
    assert "1e+300 to the segment's centre" in told


def test_a_negative_number_that_the_model_cannot_read_is_not_unknown() -> None:
    told = shown(replace(STORED, features={"spend": -2_402.0, "gender": "X"}, missing=("spend", "gender")))
    assert "-2,402.0 (negative, so the model counts it as missing)" in told
    assert "X (unknown to the model)" in told


def test_what_the_model_does_not_take_is_not_missing() -> None:
    told = shown(replace(STORED, features={**STORED.features, "country": None, "traffic_source": "Search"}))

    assert "country" not in told
    assert "Search" in told
    assert [line.split() for line in told.splitlines() if "total_orders" in line][-1] == [
        "total_orders",
        "missing",
    ]


def test_a_user_without_a_decision_is_told_as_such() -> None:
    card = UserCard(
        user_id="7",
        features={"age": None},
        components=None,
        space=None,
        segment=None,
        segment_name=None,
        provisional=False,
        missing=(),
    )

    assert "not decided yet" in shown(card)
    assert card.as_json()["segment"] is None
    assert "positions" not in card.as_json()


def test_thought_of_features_obey_the_rules_of_events() -> None:
    told = check_features({"age": "25.0", "gender": " ", "country": "España", "total_orders": "0"})

    assert told == {"age": 25, "gender": None, "country": "España", "total_orders": None}


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("age", "151", "option --age is '151': give a number from 0 to 150"),
        ("total_orders", "-1", "option --total-orders is '-1': give 0 or more"),
        ("most_frequent_brand", "x" * 1_025, "has more than 1,024 bytes"),
    ],
)
def test_a_value_that_no_event_could_bring_is_refused(name: str, value: str, problem: str) -> None:
    with pytest.raises(BadUsage, match=problem.replace("(", r"\(")):
        check_features({name: value})


DECLARED = (Feature("spend", "sum", "price"), Feature("last_brand", "last", "brand"))


def test_declared_features_are_told_by_name() -> None:
    assert parse_declared(["spend=12.5", "last_brand=A=B"], DECLARED) == {"spend": 12.5, "last_brand": "A=B"}
    assert parse_declared(["last_brand= "], DECLARED) == {"last_brand": None}
    assert parse_declared([], ()) == {}


@pytest.mark.parametrize(
    ("option", "problem"),
    [
        ("spend", "write NAME=VALUE, with one of the release's features (spend, last_brand)"),
        ("age=3", "option --feature is 'age=3': write NAME=VALUE"),
        ("spend=much", 'spend is a number, and "much" is none'),
        ("spend=inf", "spend is a number"),
        ("last_brand=" + "x" * 1_025, "has more than 1,024 bytes"),
    ],
)
def test_a_declared_feature_that_cannot_be_thought_of(option: str, problem: str) -> None:
    with pytest.raises(BadUsage) as refused:
        parse_declared([option], DECLARED)
    assert problem in str(refused.value)
