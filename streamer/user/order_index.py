"""The index of the orders of a user who has many: who holds a value first, an extreme, or the newest value.

The index is a sorted list of texts. An order has one entry for each value that a question may be about. A
store answers with the first or the last few entries of a kind and reads no order. This module is pure;
:mod:`streamer.batch.batch_users` writes the index together with the orders.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

from schemas.input_events import Order
from streamer.user.order_rules import Rules
from streamer.user.order_values import numbers_of, texts_of
from streamer.user.other_orders import WholeOrders, latest_in
from streamer.user.user_state import Ask, End, Facts, Latest, OrdersMissing

# A user with at most this many orders has no index: reading all of the orders is fast.
MOST_UNINDEXED = 64
# A new index with more bytes is not written: one save would be too large.
MAX_BYTES = 32 * 1024 * 1024

_BEGAN = datetime(1, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TIME_DIGITS = 18
# Larger than the largest amount of an order, so a shifted number is never negative.
_SHIFT = 10**30
_NUMBER_DIGITS = 31
_FIRST_READ = 16


class EndsMissing(OrdersMissing):
    """The fold needs more entries of the index than the state holds.

    Attributes:
        asks: by question, the number of entries to read.
    """

    def __init__(self, user_id: str, asks: dict[Ask, int]) -> None:
        super().__init__(user_id)
        self.asks = asks


def entries(user_id: str, order: Order | None, rules: Rules) -> frozenset[str]:
    """An order's entries; an empty set if the order does not count."""
    if order is None or order.status in rules.exclude_statuses:
        return frozenset()
    return frozenset(_entries(user_id, order, rules))


def all_entries(user_id: str, orders: Iterable[Order | None], rules: Rules) -> frozenset[str]:
    """The entries of all these orders."""
    return frozenset(entry for order in orders for entry in entries(user_id, order, rules))


def has_entries(facts: Facts) -> bool:
    """Whether the index of the orders with these facts has an entry."""
    return any(
        (
            facts.brands,
            facts.categories,
            facts.product_ids,
            facts.statuses,
            facts.own,
            facts.least,
            facts.most,
            facts.latest,
        )
    )


def size_of(some: Iterable[str]) -> int:
    """The size of these entries in bytes."""
    return sum(len(entry.encode()) for entry in some)


def _entries(user_id: str, order: Order, rules: Rules) -> Iterator[str]:
    at = _time(order.created_at)
    for source in rules.tallied:
        for value in texts_of(order, source):
            yield f"{_first(source, value)}{at}:{order.order_id}"
    for source in rules.least:
        if numbers := [number for number, _ in numbers_of(order, source)]:
            yield f"{_least(source)}{_number(min(numbers))}:{order.order_id}"
    for source in rules.most:
        if numbers := [number for number, _ in numbers_of(order, source)]:
            yield f"{_most(source)}{_number(max(numbers))}:{order.order_id}"
    for source in rules.latest:
        newest = latest_in(user_id, order, source)
        if newest is not None:
            yield f"{_latest(source)}{at}:{_ended(order.order_id)}{json.dumps(newest.value)}"


class IndexedOrders:
    """Answers from the orders that were read, and from the index for all other orders.

    Args:
        user_id: the user.
        orders: the orders that were read, with the present change applied; None if the user does not have
            that order.
        ends: the parts of the index that were read. They are older than the present change.
        rules: the settings; they say which orders count.
    """

    def __init__(
        self, user_id: str, orders: Mapping[str, Order | None], ends: Mapping[Ask, End], rules: Rules
    ) -> None:
        self._user_id = user_id
        self._at_hand = orders
        self._ends = ends
        excluded = rules.exclude_statuses
        self._here = WholeOrders(
            user_id, lambda: (o for o in orders.values() if o is not None and o.status not in excluded)
        )

    def firsts(self, source: str, values: Collection[str]) -> dict[str, datetime]:
        beginnings = {_first(source, value): value for value in sorted(values)}
        found = self._here.firsts(source, values)
        for beginning, rest in self._nearest(Ask(one) for one in beginnings).items():
            value, at = beginnings[beginning], _time_in(rest)
            found[value] = min(found.get(value, at), at)
        return found

    def firsts_on(self, *_: object) -> dict[str, datetime]:
        """Always asks for all orders: the index does not know days, and this question is rare."""
        raise OrdersMissing(self._user_id)

    def least(self, source: str) -> int | None:
        there = self._nearest([Ask(_least(source))]).values()
        return min(
            (n for n in (self._here.least(source), *map(_number_in, there)) if n is not None), default=None
        )

    def most(self, source: str) -> int | None:
        there = self._nearest([Ask(_most(source), last=True)]).values()
        return max(
            (n for n in (self._here.most(source), *map(_number_in, there)) if n is not None), default=None
        )

    def latest(self, source: str) -> Latest | None:
        there = self._nearest([Ask(_latest(source), last=True)]).values()
        found = (self._here.latest(source), *map(_latest_in, there))
        return max((one for one in found if one is not None), key=lambda one: one.place, default=None)

    def _nearest(self, asks: Iterable[Ask]) -> dict[str, str]:
        """By the question's beginning, the rest of the first entry whose order was not read.

        A beginning without such an entry is left out.
        """
        found: dict[str, str] = {}
        missing: dict[Ask, int] = {}
        for ask in asks:
            end = self._ends.get(ask)
            rests = (entry[len(ask.beginning) :] for entry in (() if end is None else end.entries))
            nearest = next((rest for rest in rests if _order_in(ask, rest) not in self._at_hand), None)
            if nearest is not None:
                found[ask.beginning] = nearest
            elif end is None or not end.complete:
                missing[ask] = max(_FIRST_READ, 0 if end is None else 2 * len(end.entries))
        if missing:
            raise EndsMissing(self._user_id, missing)
        return found


def _first(source: str, value: str) -> str:
    return f"f:{source}:{blake2b(value.encode(), digest_size=12).hexdigest()}:"


def _least(source: str) -> str:
    return f"l:{source}:"


def _most(source: str) -> str:
    return f"m:{source}:"


def _latest(source: str) -> str:
    return f"t:{source}:"


def _time(at: datetime) -> str:
    return f"{(at - _BEGAN) // _MICROSECOND:0{_TIME_DIGITS}d}"


def _time_in(rest: str) -> datetime:
    return _BEGAN + int(rest[:_TIME_DIGITS]) * _MICROSECOND


def _number(number: int) -> str:
    return f"{number + _SHIFT:0{_NUMBER_DIGITS}d}"


def _number_in(rest: str) -> int:
    return int(rest[:_NUMBER_DIGITS]) - _SHIFT


def _ended(order_id: str) -> str:
    """The id with an end mark: texts that begin with it sort like the ids, whatever characters follow."""
    return order_id.replace("\0", "\0\1") + "\0\0"


def _latest_in(rest: str) -> Latest:
    order_id, value = _parted(rest)
    return Latest(_time_in(rest), order_id, json.loads(value))


def _parted(rest: str) -> tuple[str, str]:
    order_id, _, value = rest[_TIME_DIGITS + 1 :].partition("\0\0")
    return order_id.replace("\0\1", "\0"), value


def _order_in(ask: Ask, rest: str) -> str:
    if ask.beginning.startswith("t:"):
        return _parted(rest)[0]
    digits = _TIME_DIGITS if ask.beginning.startswith("f:") else _NUMBER_DIGITS
    return rest[digits + 1 :]
