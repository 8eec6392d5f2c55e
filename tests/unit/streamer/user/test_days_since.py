"""Days since a date, by hand: which facts count at a day, and what is left when they go."""

from datetime import UTC, date, datetime
from itertools import permutations

import pytest
from msgspec.structs import replace

from schemas.errors import BadEvent
from schemas.features import Feature
from schemas.input_events import Event, Order, Signup, UserErased
from schemas.outputs.segment_change import FeatureValue
from streamer.user.fold_events import fold, holds_together
from streamer.user.order_rules import Rules
from streamer.user.stored.stored_state import decode, encode
from streamer.user.user_features import features
from streamer.user.user_state import Contradiction, Facts, UserState
from streamer.user.value_bounds import MAX_VALUES

NAMES = ("last", "first", "signup", "born")
SOURCES = ("last_order", "first_order", "signup", "user.born")
RULES = Rules(
    exclude_statuses=frozenset({"Cancelled"}),
    features=tuple(Feature(name, "days_since", source) for name, source in zip(NAMES, SOURCES, strict=True)),
    time_zone="Europe/Berlin",
)


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2024, 7, day, hour, tzinfo=UTC)


def order(order_id: str, made: datetime, status: str = "Complete", updated: datetime | None = None) -> Order:
    return Order("7", order_id, made, (), status, updated)


def folded(*events: Event) -> UserState:
    state = UserState("7")
    for event in events:
        state = fold(state, event, RULES)
    assert decode("7", encode(state), state.orders).facts == state.facts
    assert holds_together(state, RULES)
    return state


def told(day: date, *events: Event) -> dict[str, FeatureValue]:
    return features(folded(*events), RULES, day)


def test_each_source() -> None:
    born = Signup("7", at(2), own={"user.born": "2000-07-09"})
    events = born, order("1", at(3, 23)), order("2", at(5, 12))
    # In Berlin it is already the 4th at 23 o'clock UTC; 24 years have six leap days.
    expected = {"last": 5, "first": 6, "signup": 8, "born": 24 * 365 + 6 + 1}
    assert told(date(2024, 7, 10), *events) == expected


def test_only_dates_up_to_the_day_count() -> None:
    events = Signup("7", at(4), own={"user.born": "2024-07-05"}), order("1", at(4)), order("2", at(6))
    assert told(date(2024, 7, 3), *events) == dict.fromkeys(NAMES)
    assert told(date(2024, 7, 4), *events) == {"last": 0, "first": 0, "signup": 0, "born": None}
    assert told(date(2024, 7, 5), *events) == {"last": 1, "first": 1, "signup": 1, "born": 0}
    assert told(date(2024, 7, 6), *events) == {"last": 0, "first": 2, "signup": 2, "born": 1}


def test_a_withdrawn_order_leaves_the_one_before() -> None:
    cancelled = order("2", at(6), "Cancelled", at(7))
    moved = order("2", at(5), "Complete", at(8))
    day = date(2024, 7, 10)
    for events in permutations((order("1", at(4)), order("2", at(6)), cancelled)):
        assert told(day, *events)["last"] == 6
        assert told(day, *events, moved)["last"] == 5


def test_an_erasure_leaves_the_first_signup_after_it() -> None:
    signups = Signup("7", at(2)), Signup("7", at(4, 8)), Signup("7", at(4, 10)), Signup("7", at(6))
    day = date(2024, 7, 10)
    assert told(day, *signups)["signup"] == 8
    for hour, since in ((7, 6), (8, 6), (9, 6), (10, 4)):
        erasure = UserErased("7", at(4, hour))
        assert told(day, *signups, erasure)["signup"] == told(day, erasure, *signups)["signup"] == since


def test_a_state_without_features_of_time_keeps_no_days() -> None:
    state = UserState("7")
    for event in (Signup("7", at(2)), order("1", at(4))):
        state = fold(state, event, Rules())
    assert (state.facts.days, state.facts.signups) == ({}, {})


def test_a_state_that_lacks_the_day_of_an_order_contradicts_itself() -> None:
    state = folded(order("1", at(4)))
    torn = replace(state, facts=replace(state.facts, days={}))
    assert not holds_together(torn, RULES)
    with pytest.raises(Contradiction, match="order '1' is of a day on which the state counts no order"):
        fold(torn, order("1", at(4), "Cancelled", at(5)), RULES)


@pytest.mark.parametrize("what", ["orders", "signups"])
def test_the_days_of_a_user_are_bounded(what: str) -> None:
    many = range(1, MAX_VALUES + 1)
    facts = Facts(days=dict.fromkeys(many, 1), signups=dict.fromkeys(many, at(1)), held=1, counted=1)
    state = UserState("7", facts, orders={"9": None}, whole=False)
    event: Event = replace(order("9", at(4))) if what == "orders" else Signup("7", at(4))
    with pytest.raises(BadEvent, match=f"{what} on 4,097 different days, and a user has at most 4,096"):
        fold(state, event, RULES)
