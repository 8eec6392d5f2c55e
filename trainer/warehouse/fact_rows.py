"""Turns the rows of ``sql/events.sql`` into events."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, NamedTuple

from schemas.days import date_in, zone_of
from schemas.event_fields import Field
from schemas.input_events import Item, Order, Signup
from schemas.inputs.fields_read import FieldsRead
from trainer.warehouse.kinds.warehouse_source import Row

_WHOLE_IN_A_DOUBLE = 2**53
_DATE_LENGTH = len("2024-01-31")


class _Fact(NamedTuple):
    """One row of the query: a signup, or one item of an order; the fields are in the query's order.

    Behind them a row has the values of the shop's own fields, in the order of :attr:`FieldsRead.own`.
    """

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


_KNOWN = len(_Fact._fields)
_Line = tuple[_Fact, Row]


def events_of(rows: Iterable[Row], read: FieldsRead) -> Iterator[Signup | Order]:
    """Yield the events, in the order of the rows; the rows of one order must be adjacent.

    Args:
        rows: the rows.
        read: the fields that the query read.
    """
    lines = ((_Fact._make(row[:_KNOWN]), row[_KNOWN:]) for row in rows)
    for (is_order, user_id, order_id), group in groupby(
        lines, lambda line: (line[0].is_order, line[0].user_id, line[0].order_id)
    ):
        if is_order:
            assert order_id is not None
            yield _order(user_id, order_id, list(group), read)
        else:
            yield from (_signup(fact, own, read) for fact, own in group)


def _signup(fact: _Fact, own: Row, read: FieldsRead) -> Signup:
    return Signup(
        fact.user_id,
        fact.at.replace(tzinfo=UTC),
        _number(fact.age),
        fact.gender,
        fact.country,
        fact.traffic_source,
        own=_own(own, read, read.user),
    )


def _order(user_id: str, order_id: str, lines: list[_Line], read: FieldsRead) -> Order:
    first, own = lines[0]
    items = tuple(_item(fact, values, read) for fact, values in lines) if read.items else ()
    at = first.at.replace(tzinfo=UTC)
    return Order(user_id, order_id, at, items, first.status, own=_own(own, read, read.order))


def _item(fact: _Fact, own: Row, read: FieldsRead) -> Item:
    return Item(
        fact.brand,
        fact.category,
        fact.product_id,
        _number(fact.price),
        fact.quantity,
        _own(own, read, read.item),
    )


def _own(values: Row, read: FieldsRead, fields: tuple[Field, ...]) -> dict[str, Any]:
    """The values of some of the own fields, by name."""
    if not fields:
        return {}
    by_name = {
        field.name: _date(value, read.time_zone) if field.type == "date" else value
        for field, value in zip(read.own, values, strict=True)
        if field in fields
    }
    # -0.0 becomes 0.0, as in an event.
    positive = {name: value + 0.0 if isinstance(value, float) else value for name, value in by_name.items()}
    return {name: value for name, value in positive.items() if value is not None}


def _date(value: object, time_zone: str) -> str | None:
    """A date as text, from its text or from the text of a time in UTC."""
    if value is None:
        return None
    at = datetime.fromisoformat(str(value)).replace(tzinfo=UTC)
    return str(value) if len(str(value)) == _DATE_LENGTH else str(date_in(at, zone_of(time_zone)))


def _number(value: float | None) -> int | float | None:
    """The value, as an integer if it is whole (25.0 becomes 25, as in an event)."""
    if value is not None and value.is_integer() and abs(value) <= _WHOLE_IN_A_DOUBLE:
        return int(value)
    return value
