"""Decode the usual event in one pass: Segue's own fields only, each of its usual JSON type and length.

msgspec reads such an event three times as fast as :mod:`schemas.inputs.field_checks` checks it. These
functions return None for any other event, whether it is good or bad. :mod:`schemas.inputs.decode` then reads
the event field by field, and only it knows the rules and the reasons.
"""

from datetime import datetime

import msgspec
from msgspec import Struct

from schemas import times
from schemas.input_events import Item, Order, Signup
from schemas.inputs.field_checks import MAX_AGE, MAX_QUANTITY, MAX_WHOLE_ID, MIN_WHOLE_ID
from schemas.inputs.fields_read import FieldsRead
from schemas.topics import MAX_INPUT_BYTES

MAX_ITEMS = 1_000
"""The most items of an order."""

# A character has at most 4 bytes, so such a text is within the limit of every text and every id.
_USUAL_CHARACTERS = 64

# msgspec does not check the text inside an unknown field. So an event with such a field is not usual.
_Id = str | int | None
_Number = int | float | None


class _Line(Struct, forbid_unknown_fields=True):
    brand: str | None = None
    category: str | None = None
    product_id: _Id = None
    price: _Number = None
    # A float in the place of a whole number: msgspec would round a long one.
    quantity: _Number = None


class _Order(Struct, forbid_unknown_fields=True):
    order_id: _Id
    user_id: _Id
    created_at: str
    items: list[_Line]
    status: str | None = None
    updated_at: str | None = None
    event_id: _Id = None


class _Signup(Struct, forbid_unknown_fields=True):
    user_id: _Id
    created_at: str
    age: _Number = None
    gender: str | None = None
    country: str | None = None
    traffic_source: str | None = None
    event_id: _Id = None


_ORDER = msgspec.json.Decoder(_Order)
_SIGNUP = msgspec.json.Decoder(_Signup)


class _Unusual(Exception):
    """The event must be read field by field."""


def usual_order(value: bytes | None, read: FieldsRead) -> Order | None:
    """The order in a record's value; None if it is not a usual one.

    Args:
        value: the record's value.
        read: what features read. With a shop's own fields no order is usual.
    """
    if value is None or len(value) > MAX_INPUT_BYTES or read.order or read.item:
        return None
    try:
        order = _ORDER.decode(value)
        if not 0 < len(order.items) <= MAX_ITEMS:
            return None
        return Order(
            _required_id(order.user_id),
            _required_id(order.order_id),
            _time(order.created_at),
            tuple([_item(line) for line in order.items]) if read.items else (),
            _text(order.status),
            None if order.updated_at is None else _time(order.updated_at),
            _id(order.event_id),
        )
    except (_Unusual, msgspec.MsgspecError, ValueError):
        return None


def usual_signup(value: bytes | None, read: FieldsRead) -> Signup | None:
    """The signup in a record's value; None if it is not a usual one; ``read`` as in :func:`usual_order`."""
    if value is None or len(value) > MAX_INPUT_BYTES or read.user:
        return None
    try:
        signup = _SIGNUP.decode(value)
        return Signup(
            _required_id(signup.user_id),
            _time(signup.created_at),
            _whole(signup.age, 0, MAX_AGE),
            _text(signup.gender),
            _text(signup.country),
            _text(signup.traffic_source),
            _id(signup.event_id),
        )
    except (_Unusual, msgspec.MsgspecError, ValueError):
        return None


def _item(line: _Line) -> Item:
    price = line.price
    return Item(
        _text(line.brand),
        _text(line.category),
        _id(line.product_id),
        _whole(price, MIN_WHOLE_ID, MAX_WHOLE_ID) if isinstance(price, int) else price,
        _whole(line.quantity, 1, MAX_QUANTITY),
    )


def _text(text: str | None) -> str | None:
    if text is None or (text and len(text) <= _USUAL_CHARACTERS and not text.isspace()):
        return text
    raise _Unusual


def _id(value: _Id) -> str | None:
    if isinstance(value, int):
        return str(_whole(value, MIN_WHOLE_ID, MAX_WHOLE_ID))
    return _text(value)


def _required_id(value: _Id) -> str:
    text = _id(value)
    if text is None or "." in text:  # "7.0" is refused
        raise _Unusual
    return text


def _whole(number: _Number, least: int, most: int) -> int | None:
    if number is None or (isinstance(number, int) and least <= number <= most):
        return number
    raise _Unusual


def _time(text: str) -> datetime:
    if not text or len(text) > _USUAL_CHARACTERS:
        raise _Unusual
    return times.parse(text)
