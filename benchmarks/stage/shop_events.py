"""The two inputs, made from the sample shop that is in the project.

*From empty*: the shop's own events in the order of time, from the first signup on. Nearly every event changes
a user. *Steady*: a shop whose users are known, and new orders of users drawn at random. Half of the orders
repeat an order of the user; the others are copies of any order. About a third of the events changes a user.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib.resources import files
from itertools import islice
from random import Random

from msgspec.structs import replace

from schemas.input_events import Order, Signup
from schemas.inputs.decode import encode_order, encode_signup
from trainer.warehouse import open_warehouse

USERS = 19_000
_SEED = 20
_LATER = timedelta(days=400)
_REPEATED = 1 / 2


@dataclass(frozen=True, slots=True)
class Line:
    """One event as a record."""

    is_order: bool
    key: bytes
    value: bytes


def from_empty(events: int) -> list[Line]:
    """The shop's first events."""
    return [_line(fact) for fact in islice(_facts(), events)]


def past_of(users: int = USERS) -> list[Line]:
    """All events of the shop's first users: they fill a steady shop."""
    known = set(_first_users(users))
    return [_line(fact) for fact in _facts() if fact.user_id in known]


def steady(events: int, number: int, users: int = USERS) -> list[Line]:
    """New orders in a steady shop.

    Args:
        events: how many.
        number: each number gives other orders.
        users: how many users the shop has.
    """
    random, known, orders = Random(_SEED + number), _first_users(users), _orders()
    every = [order for own in orders.values() for order in own]
    lines = []
    for i in range(events):
        user_id = random.choice(known)
        own = orders.get(user_id) if random.random() < _REPEATED else None
        lines.append(_line(_again(random.choice(own or every), user_id, f"{number}-{i}")))
    return lines


def _again(order: Order, user_id: str, order_id: str) -> Order:
    return replace(
        order,
        event_id=order_id,
        user_id=user_id,
        order_id=order_id,
        created_at=order.created_at + _LATER,
        updated_at=None,
    )


def _line(fact: Signup | Order) -> Line:
    is_order = isinstance(fact, Order)
    key, value = encode_order(fact) if isinstance(fact, Order) else encode_signup(fact)
    return Line(is_order, key, value)


@cache
def _facts() -> list[Signup | Order]:
    with open_warehouse(str(files("segue") / "data" / "thelook")) as warehouse:
        return list(warehouse.events())


@cache
def _first_users(users: int) -> list[str]:
    signups: Iterator[str] = (fact.user_id for fact in _facts() if isinstance(fact, Signup))
    return list(islice(signups, users))


@cache
def _orders() -> dict[str, list[Order]]:
    """The orders by user."""
    orders: dict[str, list[Order]] = {}
    for fact in _facts():
        if isinstance(fact, Order):
            orders.setdefault(fact.user_id, []).append(fact)
    return orders
