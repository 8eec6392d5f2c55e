"""Signups and orders as typed values, decoded by msgspec alone."""

from datetime import datetime

import msgspec
from msgspec import Struct


class BareSignup(Struct, gc=False):
    """A signup."""

    user_id: str
    created_at: datetime
    age: int | float | None = None
    gender: str | None = None
    country: str | None = None
    traffic_source: str | None = None
    event_id: str | None = None


class BareItem(Struct, gc=False):
    """One line of an order."""

    brand: str | None = None
    category: str | None = None
    quantity: int | None = None


class BareOrder(Struct, gc=False):
    """An order."""

    user_id: str
    order_id: str
    created_at: datetime
    items: list[BareItem]
    event_id: str | None = None


BareEvent = BareSignup | BareOrder

decode_signup = msgspec.json.Decoder(BareSignup).decode
decode_order = msgspec.json.Decoder(BareOrder).decode
