"""What one trigger changed: the orders in the days after, of all its users."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np

from segue.triggers.report.holdout_numbers import HoldoutReport
from segue.triggers.report.holdout_statistics import compare
from segue.triggers.report.read_assignments import Assigned, Assignments

Bought = tuple[str, datetime, float | None]
"""A user, the time of an order, and its price in hundredths (None: without prices)."""


class Counted(Protocol):
    """The time of the last fact."""

    @property
    def last_at(self) -> datetime | None: ...


class Orders(Protocol):
    """The queries that the report needs from a warehouse."""

    def counts(self, as_of: datetime | None) -> Counted: ...

    def bought(
        self, since: datetime, until: datetime, exclude_statuses: tuple[str, ...]
    ) -> Iterator[Bought]: ...


def report_on(
    trigger: str,
    holdout: float,
    assignments: Assignments,
    warehouse: Orders,
    *,
    days: int,
    now: datetime,
    exclude_statuses: tuple[str, ...] = (),
) -> HoldoutReport:
    """Compare the users who got the webhook with those held out.

    An order counts if its time lies in the days that begin when the trigger first acted on the user.

    Args:
        trigger: its name.
        holdout: the share that the file holds out.
        assignments: the trigger's users.
        warehouse: where the orders are.
        days: how many days count.
        now: the present time; later facts do not count.
        exclude_statuses: orders with one of these statuses do not count.

    Raises:
        BadWarehouse: the warehouse cannot be read.
    """
    length = timedelta(days=days)
    users = assignments.users
    orders, last_order = _orders_of(users, warehouse, now, exclude_statuses)
    until = warehouse.counts(now).last_at
    if until is not None and last_order is not None:
        # The signups may be newer than the orders. What is not loaded yet must not look like no order.
        until = min(until, last_order)
    counted = [user for user in users if until is not None and user.at + length <= until]
    amounts, spend = _amounts(counted, orders, length)
    held_out = np.array([user.held_out for user in counted], dtype=np.bool_)
    return HoldoutReport(
        trigger,
        holdout,
        days,
        until,
        len(users) - len(counted),
        assignments.regrouped,
        compare(amounts, spend, held_out),
        sum(user.dead for user in counted),
    )


def _orders_of(
    users: Sequence[Assigned], warehouse: Orders, now: datetime, exclude_statuses: tuple[str, ...]
) -> tuple[list[Bought], datetime | None]:
    """The users' orders since the trigger began, and the time of anybody's last order since then."""
    if not users:
        return [], None
    wanted = {user.user_id for user in users}
    orders: list[Bought] = []
    last: datetime | None = None
    for order in warehouse.bought(min(user.at for user in users), now, exclude_statuses):
        last = order[1] if last is None else max(last, order[1])
        if order[0] in wanted:
            orders.append(order)
    return orders, last


def _amounts(
    users: Sequence[Assigned], bought: Iterable[Bought], length: timedelta
) -> tuple[np.ndarray, np.ndarray | None]:
    """Each user's orders in the user's days, and what they cost (None without prices), shapes (users,)."""
    orders = np.zeros(len(users))
    cents = np.zeros(len(users))
    places: Mapping[str, int] = {user.user_id: place for place, user in enumerate(users)}
    priced = False
    for user_id, at, price in bought:
        place = places.get(user_id)
        if place is None or not users[place].at <= at < users[place].at + length:
            continue
        orders[place] += 1
        if price is not None:
            priced = True
            cents[place] += price
    return orders, cents / 100 if priced else None
