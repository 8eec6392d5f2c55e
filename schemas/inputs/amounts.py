"""Prices as whole numbers: a sum of whole numbers is the same in any order, a sum of doubles is not.

A number that is summed is a whole number of millionths. Warehouse and worker come to it by the same IEEE 754
operations: multiply by a million, add a half, round down. Back to a double: the whole number's
nearest double, divided by a million.
"""

from math import floor

MILLION = 1_000_000
# Beyond these an item adds no number, so that no warehouse's whole numbers overflow.
MAX_PRICE = 10**12
MAX_QUANTITY = 10**6


def millionths(price: float) -> int:
    """The whole number of millionths of a price within ±``MAX_PRICE``; a half is rounded up.

    >>> millionths(19.99), millionths(-0.0000005), millionths(7)
    (19990000, 0, 7000000)
    """
    return floor(float(price) * MILLION + 0.5)


def amount(total: int) -> float:
    """The number that so many millionths are.

    >>> amount(19_990_000)
    19.99
    """
    return float(total) / MILLION
