"""Prices as whole numbers: their sum does not depend on the order, as a sum of doubles does.

A summand is a whole number of millionths. Warehouse and worker compute it by the same IEEE 754 operations:
multiply by a million, add a half, round down. The way back: take the nearest double of the whole number and
divide it by a million.
"""

from math import floor

MILLION = 1_000_000
# An item beyond these limits adds no number, so that whole numbers do not overflow in any warehouse.
MAX_PRICE = 10**12
MAX_QUANTITY = 10**6


def millionths(price: float) -> int:
    """Convert a price within ±``MAX_PRICE`` to millionths; round a half up.

    >>> millionths(19.99), millionths(-0.0000005), millionths(7)
    (19990000, 0, 7000000)
    """
    return floor(float(price) * MILLION + 0.5)


def amount(total: int) -> float:
    """Convert millionths back to a number.

    >>> amount(19_990_000)
    19.99
    """
    return float(total) / MILLION
