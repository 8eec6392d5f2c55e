"""The values of a user's other orders, after one order is withdrawn."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime, tzinfo
from typing import Protocol

from schemas.days import date_in
from schemas.input_events import Order
from streamer.user.order_values import latest_of, numbers_of, texts_of
from streamer.user.user_state import Latest


class Others(Protocol):
    """Access to a user's counted orders, without the withdrawn order.

    Methods may raise :class:`streamer.user.fold_events.OrdersMissing`.
    """

    def firsts(self, source: str, values: Collection[str]) -> dict[str, datetime]:
        """The smallest ``created_at`` by value; a value that no order holds is left out."""

    def firsts_on(self, day: int, zone: tzinfo, source: str, values: Collection[str]) -> dict[str, datetime]:
        """The same, only among the orders of one day in a zone."""

    def least(self, source: str) -> int | None:
        """The smallest number, in millionths."""

    def most(self, source: str) -> int | None:
        """The largest number, in millionths."""

    def latest(self, source: str) -> Latest | None:
        """The newest value."""


class WholeOrders:
    """Answers from all orders. ``orders`` is called only when an answer is needed."""

    def __init__(self, user_id: str, orders: Callable[[], Iterable[Order]]) -> None:
        self._user_id = user_id
        self._orders = orders

    def firsts(self, source: str, values: Collection[str]) -> dict[str, datetime]:
        return _firsts(self._orders(), source, values)

    def firsts_on(self, day: int, zone: tzinfo, source: str, values: Collection[str]) -> dict[str, datetime]:
        of_day = (o for o in self._orders() if date_in(o.created_at, zone).toordinal() == day)
        return _firsts(of_day, source, values)

    def least(self, source: str) -> int | None:
        return min(self._numbers(source), default=None)

    def most(self, source: str) -> int | None:
        return max(self._numbers(source), default=None)

    def latest(self, source: str) -> Latest | None:
        found = (latest_in(self._user_id, order, source) for order in self._orders())
        return max((one for one in found if one is not None), key=lambda one: one.place, default=None)

    def _numbers(self, source: str) -> Iterable[int]:
        return (number for order in self._orders() for number, _ in numbers_of(order, source))


def _firsts(orders: Iterable[Order], source: str, values: Collection[str]) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for order in orders:
        for value in texts_of(order, source).keys() & values:
            found[value] = min(found.get(value, order.created_at), order.created_at)
    return found


def latest_in(user_id: str, order: Order, source: str) -> Latest | None:
    """One order's value for a "last" feature, with the order's time and id; None if it has no value."""
    value = latest_of(user_id, order, source)
    return None if value is None else Latest(order.created_at, order.order_id, value)
