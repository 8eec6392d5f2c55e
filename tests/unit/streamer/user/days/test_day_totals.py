"""Features over a window of days, by hand: the values, their ties, and what is left when a day is dropped."""

from datetime import UTC, date, datetime

import pytest
from msgspec.structs import replace

from schemas.errors import BadEvent
from schemas.features import Feature
from schemas.input_events import Event, Item, Order
from schemas.outputs.segment_change import FeatureValue
from streamer.user import value_bounds
from streamer.user.days.changing_days import next_change_days
from streamer.user.days.day_totals import pruned
from streamer.user.fold_events import fold
from streamer.user.order_rules import Rules
from streamer.user.stored.stored_state import decode, encode
from streamer.user.user_features import features
from streamer.user.user_state import Contradiction, DayTotals, OrdersMissing, UserState

RULES = Rules(
    exclude_statuses=frozenset({"Cancelled"}),
    features=(
        Feature("orders", "count", "order_id", window=3),
        Feature("spend", "sum", "price", window=3),
        Feature("usual", "mean", "price", window=2),
        Feature("brands", "distinct", "brand", window=3),
        Feature("brand", "most_frequent", "brand", window=3),
    ),
)


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2024, 7, day, hour, tzinfo=UTC)


def order(order_id: str, made: datetime, *brands: str, price: float = 10, **fields: object) -> Order:
    items = tuple(Item(brand, price=price) for brand in brands)
    return replace(Order("7", order_id, made, items), **fields)


def cancelled(cancels: Order) -> Order:
    return replace(cancels, status="Cancelled", updated_at=at(30))


ORDERS = (
    order("1", at(1, 23), "Acme", price=100),
    order("2", at(2), "Acme", "Beta"),
    order("3", at(4), "Beta", "Acme", price=20),
)


def folded(*events: Event) -> UserState:
    state = UserState("7")
    for event in events:
        state = fold(state, event, RULES)
    return state


def told(state: UserState, day: int) -> dict[str, FeatureValue]:
    return features(state, RULES, date(2024, 7, day))


def test_the_orders_of_the_last_days_count_the_day_among_them() -> None:
    state = folded(*ORDERS)
    expected = {"orders": 2, "spend": 60.0, "usual": 20.0, "brands": 2, "brand": "Beta"}
    # The 2nd to the 4th; the mean: the 3rd and the 4th. The brands tie: 7:Beta has the smaller MD5, 1a77….
    assert told(state, 4) == expected
    assert told(state, 3) == expected | {"spend": 120.0, "usual": 10.0, "brand": "Acme"}
    assert told(state, 1) == {"orders": 1, "spend": 100.0, "usual": 100.0, "brands": 1, "brand": "Acme"}
    assert told(state, 7) == dict.fromkeys(expected)


def test_a_tie_is_decided_by_the_orders_of_the_window_alone() -> None:
    # Acme was bought first, but in the window Beta was.
    state = folded(ORDERS[0], order("2", at(4, 1), "Beta"), order("3", at(4, 2), "Acme"))
    assert told(state, 3)["brand"] == "Acme"
    assert told(state, 4)["brand"] == "Beta"


def test_a_withdrawn_order_leaves_the_first_of_its_day() -> None:
    first, second = order("1", at(4, 1), "Acme"), order("2", at(4, 3), "Acme")
    other, before = order("3", at(4, 2), "Beta"), order("4", at(1, 1), "Acme")
    state = folded(before, first, second, other, cancelled(first))
    # Acme is one item of 3 o'clock, Beta one of 2 o'clock; the Acme of the 1st lies in no window of the 4th.
    assert told(state, 4)["brand"] == "Beta"
    day = state.facts.totals[date(2024, 7, 4).toordinal()]
    assert {value: tally.first_at for value, tally in day.tallies["brand"].items()} == {
        "Acme": at(4, 3),
        "Beta": at(4, 2),
    }
    part = decode("7", encode(folded(first, second)), {"1": first})
    with pytest.raises(OrdersMissing):
        fold(part, cancelled(first), RULES)


def test_a_dropped_day_stays_away_whatever_comes() -> None:
    state = pruned(folded(*ORDERS), RULES, date(2024, 7, 5))
    assert [date.fromordinal(day) for day in state.facts.totals] == [date(2024, 7, 4)]
    late = order("4", at(2, 5), "Gamma")
    for event in (late, cancelled(ORDERS[1]), replace(ORDERS[0], created_at=at(2), updated_at=at(9))):
        assert fold(state, event, RULES).facts.totals == state.facts.totals
    assert pruned(state, RULES, date(2024, 7, 4)) is state  # the day never goes back
    assert pruned(state, RULES, None) is state
    moved = fold(state, replace(ORDERS[0], created_at=at(5), updated_at=at(9)), RULES)
    assert told(moved, 5)["orders"] == 2


def test_a_state_that_lacks_an_order_of_a_day_contradicts_itself() -> None:
    state = folded(*ORDERS)
    for torn in ({}, {date(2024, 7, 4).toordinal(): DayTotals(1)}):
        with pytest.raises(Contradiction):
            fold(replace(state, facts=replace(state.facts, totals=torn)), cancelled(ORDERS[2]), RULES)


def test_the_values_within_a_window_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(value_bounds, "MAX_VALUES", 4)
    state = folded(*ORDERS[1:])  # two values on each of two days
    assert folded(order("9", at(1), "A", "B", "C")).facts.counted == 1
    with pytest.raises(
        BadEvent, match="5 values of brand on the days of one window, and a user has at most 4"
    ):
        fold(state, order("4", at(3), "Gamma"), RULES)
    assert fold(state, order("4", at(1), "Gamma"), RULES).facts.counted == 3  # before the newest window


def test_the_days_on_which_windows_change() -> None:
    state = folded(order("1", at(1), "Acme"), order("2", at(5), "Acme"))
    # The windows of two and three days lose the 1st on the 3rd and 4th; they gain the 5th, and lose it.
    found = next_change_days(state, RULES, date(2024, 7, 1))
    assert found == tuple(date(2024, 7, day) for day in (3, 4, 5, 7, 8))
    assert next_change_days(state, RULES, date(2024, 7, 8)) == ()


def test_dates_ahead_change_features_on_their_day() -> None:
    sources = ("last_order", "first_order", "signup", "user.born")
    rules = Rules(features=tuple(Feature(f"f{i}", "days_since", source) for i, source in enumerate(sources)))
    state = UserState("7")
    for event in (order("1", at(3), "Acme"), order("2", at(5), "Acme")):
        state = fold(state, event, rules)
    assert next_change_days(state, rules, date(2024, 7, 1)) == (date(2024, 7, 3), date(2024, 7, 5))
    assert next_change_days(state, rules, date(2024, 7, 3)) == (date(2024, 7, 5),)
    assert next_change_days(UserState("7"), rules, date(2024, 7, 1)) == ()
