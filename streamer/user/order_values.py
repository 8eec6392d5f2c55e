"""One order's values for each source that a feature can be made from, and how ties of values are broken."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache, partial

from schemas.event_fields import KNOWN
from schemas.features import ORDER_VALUE
from schemas.input_events import Item, Order, OwnValues
from schemas.inputs.amounts import MAX_PRICE, MAX_QUANTITY, millionths
from streamer.user.user_state import Tally

# A number in millionths, and how many times it counts.
Weighted = tuple[int, int]

ORDER_TIME = "created_at"
"""A source of numbers that is no field: the seconds since 1970 at which the order was made."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def texts_of(order: Order, source: str) -> dict[str, int]:
    """The number of items by value; a value of the order itself counts once, and null is not a value."""
    if not is_of_items(source):
        value = order.status if source in KNOWN else order.own.get(source)
        return {value: 1} if isinstance(value, str) else {}
    known = source in KNOWN
    counts: dict[str, int] = {}
    for item in order.items:
        value = getattr(item, source) if known else item.own.get(source)
        if isinstance(value, str):
            counts[value] = counts.get(value, 0) + item.count
    return counts


def numbers_of(order: Order, source: str) -> list[Weighted]:
    """The order's numbers for one source, with their weights.

    Quantities: one for each item. Any other number of the items, such as the price: one for each item,
    weighted by the item's quantity. A number of the order itself, its time or its value: one.
    """
    if source == ORDER_TIME:
        return [((order.created_at - _EPOCH) // _MICROSECOND, 1)]
    if source == "quantity":
        return [(millionths(item.count), 1) for item in order.items if item.count <= MAX_QUANTITY]
    if source == ORDER_VALUE:
        prices = _prices(order)
        return [(sum(price * count for price, count in prices), 1)] if prices else []
    if source == "price":
        return _prices(order)
    if not is_of_items(source):
        return [(number, 1) for number in _own([order.own], source)]
    counted = [item for item in order.items if item.count <= MAX_QUANTITY]
    return [(number, item.count) for item in counted for number in _own([item.own], source)]


def latest_of(user_id: str, order: Order, source: str) -> str | int | None:
    """The order's value for a "last" feature: the largest number, or the text with the most items."""
    if numbers := numbers_of(order, source):
        return max(number for number, _ in numbers)
    texts = texts_of(order, source)
    return min(texts, key=lambda value: (-texts[value], toss(user_id, value)), default=None)


def most_frequent(user_id: str, tallies: Mapping[str, Tally]) -> str | None:
    """The value with the most items. A tie goes to the earliest value, then to the smallest :func:`toss`."""
    if len(tallies) < 2:
        return next(iter(tallies), None)
    most = max([tally.items for tally in tallies.values()])
    tied = {value: tally.first_at for value, tally in tallies.items() if tally.items == most}
    if len(tied) == 1:
        return next(iter(tied))
    first_at = min(tied.values())
    earliest = [value for value, at in tied.items() if at == first_at]
    return earliest[0] if len(earliest) == 1 else min(earliest, key=partial(toss, user_id))


@cache
def is_of_items(source: str) -> bool:
    """Whether the items of an order have a value for this source, and not the order itself."""
    known = KNOWN.get(source)
    return source.startswith("item.") if known is None else known.level == "item"


def toss(user_id: str, value: str) -> str:
    """The key that breaks a tie: MD5 of ``user_id:value`` in UTF-8, in lowercase hex.

    SQL and Python compute the same key. An alphabetical rule would leak the number of items into the
    value's code.
    """
    return hashlib.md5(f"{user_id}:{value}".encode(), usedforsecurity=False).hexdigest()


def _own(holders: Iterable[OwnValues], source: str) -> list[int]:
    return [value for own in holders if isinstance(value := own.get(source), int)]


def _prices(order: Order) -> list[Weighted]:
    return [(millionths(price), item.count) for item in order.items if (price := _price(item)) is not None]


def _price(item: Item) -> float | None:
    price = item.price
    if price is None or abs(price) > MAX_PRICE or item.count > MAX_QUANTITY:
        return None
    return price
