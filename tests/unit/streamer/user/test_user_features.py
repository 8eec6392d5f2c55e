"""Features by hand: one small history, and what is left when a version of an order is withdrawn."""

from datetime import timedelta

import pytest

from schemas.input_events import Item, Order, Signup, UserErased
from schemas.outputs.segment_change import FeatureValue
from streamer.user.fold_events import fold, fold_all
from streamer.user.order_rules import Rules
from streamer.user.stored.stored_state import decode, encode
from streamer.user.user_features import features
from streamer.user.user_state import Facts, OrdersMissing, UserState
from tests.support.checks.refusing import refuse_none
from tests.support.strategies.events import START
from tests.support.strategies.features import RICH

RULES = Rules(exclude_statuses=frozenset({"Cancelled"}), features=RICH)


def order(
    order_id: str, hour: int, *items: Item, status: str | None = None, updated: int | None = None
) -> Order:
    updated_at = None if updated is None else START + timedelta(hours=updated)
    return Order("7", order_id, START + timedelta(hours=hour), items, status, updated_at)


FIRST = order("1", 1, Item("Ön", "Socks", "p1", 0.1, 3), Item("Ön", "Jeans", "p2", 20), status="Complete")
SECOND = order(
    "2", 2, Item("Carhartt", None, "p1", 0.2), Item(None, "Jeans", None, None, 2), status="Shipped"
)
NO_PRICE = order("3", 3, Item("Ön"))


def told(*events: Order | Signup | UserErased, rules: Rules = RULES) -> dict[str, FeatureValue]:
    return features(fold_all(UserState("7"), events, rules, refuse_none), rules, None)


def test_the_interval_is_the_mean_of_the_gaps_whatever_comes_first() -> None:
    # Orders at 1, 2 and 3 o'clock: 2 hours by 2 gaps.
    third = order("3", 3, Item("Ön"), status="Shipped")
    for events in ([FIRST, SECOND, third], [third, FIRST, SECOND], [SECOND, third, FIRST, FIRST]):
        assert told(*events)["interval_of_order_id"] == 1 / 24
    assert told(FIRST)["interval_of_order_id"] is None
    assert told()["interval_of_order_id"] is None
    # A cancelled order does not count: only one is left, or the first and the third.
    cancelled = order("2", 2, Item("Ön"), status="Cancelled", updated=9)
    assert told(FIRST, SECOND, cancelled)["interval_of_order_id"] is None
    assert told(FIRST, SECOND, third, cancelled)["interval_of_order_id"] == 2 / 24
    # Two orders at one moment are no days apart.
    assert told(FIRST, order("4", 1, Item("Ön")))["interval_of_order_id"] == 0.0


def test_a_later_version_moves_the_time_of_its_order() -> None:
    moved = order("2", 7, Item("Ön"), status="Shipped", updated=9)
    assert told(FIRST, SECOND, moved)["interval_of_order_id"] == 6 / 24
    assert told(moved, SECOND, FIRST)["interval_of_order_id"] == 6 / 24


def test_each_kind_over_two_orders() -> None:
    row = told(FIRST, SECOND)
    # Order 1 is worth 3 x 0.1 + 20 = 20.3, order 2 is worth 0.2.
    assert row["sum_of_order_value"] == row["sum_of_price"] == 20.5
    assert row["mean_of_order_value"] == 10.25
    assert row["mean_of_price"] == 20.5 / 5
    assert (row["min_of_price"], row["max_of_price"], row["last_of_price"]) == (0.1, 20.0, 0.2)
    assert (row["min_of_order_value"], row["max_of_order_value"], row["last_of_order_value"]) == (
        0.2,
        20.3,
        0.2,
    )
    # The lines have 3, 1, 1 and 2 pieces.
    assert (row["sum_of_quantity"], row["mean_of_quantity"]) == (7.0, 1.75)
    assert (row["min_of_quantity"], row["max_of_quantity"], row["last_of_quantity"]) == (1.0, 3.0, 2.0)
    assert (row["distinct_of_brand"], row["distinct_of_category"], row["distinct_of_product_id"]) == (2, 2, 2)
    assert (row["last_of_brand"], row["last_of_category"], row["last_of_product_id"]) == (
        "Carhartt",
        "Jeans",
        "p1",
    )
    # 3 socks and 3 jeans, both held first in order 1; the md5sum of 7:Jeans begins with 36, of 7:Socks with
    # 9e.
    assert (row["most_frequent_of_product_id"], row["most_frequent_of_category"]) == ("p1", "Jeans")
    # One order each: the first held wins, and the newest is the last.
    assert (row["most_frequent_of_status"], row["last_of_status"], row["distinct_of_status"]) == (
        "Complete",
        "Shipped",
        2,
    )


def test_an_order_without_a_value_is_passed_over() -> None:
    row = told(FIRST, SECOND, NO_PRICE)
    assert row["count_of_order_id"] == 3
    assert (row["last_of_price"], row["last_of_order_value"], row["mean_of_order_value"]) == (0.2, 0.2, 10.25)
    assert row["last_of_brand"] == "Ön"
    assert row["last_of_status"] == "Shipped"


def test_without_a_counted_order_every_feature_of_orders_is_missing() -> None:
    row = told(Signup("7", START, age=30), order("1", 1, Item("Ön", price=5), status="Cancelled"))
    present = {name for name, value in row.items() if value is not None}
    assert present == {"age", "attribute_of_age", "last_of_age"}


def test_amounts_beyond_the_bounds_are_no_numbers() -> None:
    row = told(order("1", 1, Item("Ön", price=1e12 + 1), Item(price=2, quantity=1_000_001)))
    assert row["sum_of_price"] is row["last_of_order_value"] is None
    assert (row["sum_of_quantity"], row["most_frequent_of_brand"]) == (1.0, "Ön")
    assert told(order("1", 1, Item(price=1e12)))["sum_of_price"] == 1e12


def test_a_tenth_a_thousand_times_is_a_hundred() -> None:
    orders = [order(str(number), 1, Item(price=0.1)) for number in range(1_000)]
    assert told(*orders)["sum_of_price"] == 100.0


def test_what_a_version_gave_is_taken_back() -> None:
    cancelled = order("1", 1, *FIRST.items, status="Cancelled", updated=5)
    assert told(FIRST, SECOND, cancelled) == told(SECOND)
    smaller = order("2", 2, Item("Carhartt", price=30.0), updated=5)
    row = told(FIRST, SECOND, smaller)
    assert (row["max_of_price"], row["min_of_price"], row["last_of_price"]) == (30.0, 0.1, 30.0)


def test_other_orders_are_asked_only_where_an_extreme_or_the_newest_is_withdrawn() -> None:
    state = fold_all(UserState("7"), [FIRST, SECOND, NO_PRICE], RULES, refuse_none)

    def with_one(order_id: str, event: Order) -> UserState:
        part = decode("7", encode(state), {order_id: state.orders[order_id]})
        return fold(part, event, RULES)

    # A greater price is the new extreme, whatever the others hold.
    raised = order("1", 1, *FIRST.items, Item(price=50), status="Complete", updated=5)
    assert with_one("1", raised).facts.most["price"] == 50_000_000
    with pytest.raises(OrdersMissing):
        with_one("3", order("3", 3, Item("Ön"), status="Cancelled", updated=5))


def test_the_seven_keep_what_they_kept() -> None:
    facts = fold_all(UserState("7"), [FIRST, SECOND], Rules(), refuse_none).facts
    assert set(facts.brands) == {"Ön", "Carhartt"}
    assert (facts.product_ids, facts.statuses, facts.sums, facts.least, facts.most, facts.latest) == ({},) * 6
    assert Facts(held=2, counted=2, brands=facts.brands, categories=facts.categories) == facts


def test_a_new_life_begins_without_the_amounts_of_the_old_one() -> None:
    erased = UserErased("7", START + timedelta(hours=1))
    assert told(FIRST, SECOND, erased) == told(SECOND)
