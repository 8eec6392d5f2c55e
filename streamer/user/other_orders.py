"""What the other orders of a user hold, where one that counted is withdrawn: from all of them."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Protocol

from schemas.input_events import Order
from streamer.user.order_values import latest_of, numbers_of, texts_of
from streamer.user.user_state import Latest


class Others(Protocol):
    """What the counted orders of a user hold, the withdrawn one left out.

    Methods may raise :class:`streamer.user.fold_events.OrdersMissing`.
    """

    def firsts(self, source: str, values: Collection[str]) -> dict[str, datetime]:
        """By value, the smallest ``created_at`` of the orders that hold it; without those that none holds."""

    def least(self, source: str) -> int | None:
        """The smallest number, in millionths."""

    def most(self, source: str) -> int | None:
        """The largest number, in millionths."""

    def latest(self, source: str) -> Latest | None:
        """The newest value."""


class WholeOrders:
    """They lie at hand; ``orders`` is asked only when it comes to them."""

    def __init__(self, user_id: str, orders: Callable[[], Iterable[Order]]) -> None:
        self._user_id = user_id
        self._orders = orders

    def firsts(self, source: str, values: Collection[str]) -> dict[str, datetime]:
        found: dict[str, datetime] = {}
        for order in self._orders():
            for value in texts_of(order, source).keys() & values:
                found[value] = min(found.get(value, order.created_at), order.created_at)
        return found

    def least(self, source: str) -> int | None:
        return min(self._numbers(source), default=None)

    def most(self, source: str) -> int | None:
        return max(self._numbers(source), default=None)

    def latest(self, source: str) -> Latest | None:
        found = (latest_in(self._user_id, order, source) for order in self._orders())
        return max((one for one in found if one is not None), key=lambda one: one.place, default=None)

    def _numbers(self, source: str) -> Iterable[int]:
        return (number for order in self._orders() for number, _ in numbers_of(order, source))


def latest_in(user_id: str, order: Order, source: str) -> Latest | None:
    """One order's newest value."""
    value = latest_of(user_id, order, source)
    return None if value is None else Latest(order.created_at, order.order_id, value)
