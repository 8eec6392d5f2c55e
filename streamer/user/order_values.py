"""One order's values for each source that a feature can be made from."""

import hashlib

from schemas.features import ITEM_TEXTS, TEXTS
from schemas.input_events import Item, Order
from schemas.inputs.amounts import MAX_PRICE, MAX_QUANTITY, millionths

# A number in millionths, and how many times it counts.
Weighted = tuple[int, int]


def texts_of(order: Order, source: str) -> dict[str, int]:
    """The number of items by value; a status counts once, and null is not a value."""
    if source not in ITEM_TEXTS:
        return {} if order.status is None else {order.status: 1}
    counts: dict[str, int] = {}
    for item in order.items:
        value: str | None = getattr(item, source)
        if value is not None:
            counts[value] = counts.get(value, 0) + item.count
    return counts


def numbers_of(order: Order, source: str) -> list[Weighted]:
    """The order's numbers for one source, with their weights.

    Prices: one for each item, weighted by the item's quantity. Quantities: one for each item. Any other
    source: the value of the whole order.
    """
    match source:
        case "price":
            return _prices(order)
        case "quantity":
            return [(millionths(item.count), 1) for item in order.items if item.count <= MAX_QUANTITY]
        case _:
            prices = _prices(order)
            return [(sum(price * count for price, count in prices), 1)] if prices else []


def latest_of(user_id: str, order: Order, source: str) -> str | int | None:
    """The order's value for a "last" feature: the text with the most items, or the largest number."""
    if source not in TEXTS:
        return max((number for number, _ in numbers_of(order, source)), default=None)
    texts = texts_of(order, source)
    return min(texts, key=lambda value: (-texts[value], toss(user_id, value)), default=None)


def toss(user_id: str, value: str) -> str:
    """The key that breaks a tie: MD5 of ``user_id:value`` in UTF-8, in lowercase hex.

    SQL and Python compute the same key. An alphabetical rule would leak the number of items into the
    value's code.
    """
    return hashlib.md5(f"{user_id}:{value}".encode(), usedforsecurity=False).hexdigest()


def _prices(order: Order) -> list[Weighted]:
    return [(millionths(price), item.count) for item in order.items if (price := _price(item)) is not None]


def _price(item: Item) -> float | None:
    price = item.price
    if price is None or abs(price) > MAX_PRICE or item.count > MAX_QUANTITY:
        return None
    return price
