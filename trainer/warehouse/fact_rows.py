"""Turns the rows of ``sql/events.sql`` into events."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from typing import NamedTuple

from schemas.input_events import Item, Order, Signup
from trainer.warehouse.kinds.warehouse_source import Row

_WHOLE_IN_A_DOUBLE = 2**53


class _Fact(NamedTuple):
    """One row of the query: a signup, or one item of an order; the fields are in the query's order."""

    is_order: int
    user_id: str
    at: datetime
    age: float | None
    gender: str | None
    country: str | None
    traffic_source: str | None
    order_id: str | None
    status: str | None
    item_id: str | None
    brand: str | None
    category: str | None
    product_id: str | None
    price: float | None
    quantity: int | None


def events_of(rows: Iterable[Row]) -> Iterator[Signup | Order]:
    """Yield the events, in the order of the rows; the rows of one order must be adjacent."""
    facts = map(_Fact._make, rows)
    for (is_order, user_id, order_id), group in groupby(
        facts, lambda fact: (fact.is_order, fact.user_id, fact.order_id)
    ):
        if is_order:
            assert order_id is not None
            yield _order(user_id, order_id, list(group))
        else:
            yield from map(_signup, group)


def _signup(fact: _Fact) -> Signup:
    return Signup(
        fact.user_id,
        fact.at.replace(tzinfo=UTC),
        _number(fact.age),
        fact.gender,
        fact.country,
        fact.traffic_source,
    )


def _order(user_id: str, order_id: str, facts: list[_Fact]) -> Order:
    items = tuple(
        Item(fact.brand, fact.category, fact.product_id, _number(fact.price), fact.quantity) for fact in facts
    )
    return Order(user_id, order_id, facts[0].at.replace(tzinfo=UTC), items, facts[0].status)


def _number(value: float | None) -> int | float | None:
    """The value, as an integer if it is whole (25.0 becomes 25, as in an event)."""
    if value is not None and value.is_integer() and abs(value) <= _WHOLE_IN_A_DOUBLE:
        return int(value)
    return value
