"""Finds how numbers are written: the decimal mark, the mark of thousands, and signs around them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

CURRENCIES = "USD|EUR|GBP|CHF|PLN|CZK|SEK|NOK|DKK|HUF|JPY|INR|zł|zl|kr|Kč|Ft|円"
"""Codes and words of currencies, for a regular expression."""
_SIGNS = re.compile(rf"\s|[$€£¥￥₹₺₽₩₴%]|(?<![^\W\d])(?:{CURRENCIES})(?![^\W\d])")
_PLAIN = re.compile(r"[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_COMMA = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:[.'’]\d{3})+),\d+", re.ASCII)
# A group before a mark of thousands begins with no 0: 0.500 has decimals.
_GROUPED_BY_POINTS = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+", re.ASCII)
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_ENOUGH = 0.95


@dataclass(frozen=True, slots=True)
class NumberForm:
    """How the numbers of a column are written.

    Attributes:
        decimal: the decimal mark; a comma also where points stand between thousands of whole numbers.
        thousands: whether marks stand between groups of three digits.
        signs: whether other characters stand around the digits, such as ``$`` or a blank.
        unclear: whether the comma or the point may be the mark of thousands or of decimals.
    """

    decimal: str = "."
    thousands: bool = False
    signs: bool = False
    unclear: bool = False


PLAIN = NumberForm()


def number_form(values: Sequence[str]) -> NumberForm | None:
    """Find how numbers are written; None if the values are not numbers.

    Args:
        values: different values of a column.

    >>> number_form(["$12.99 ", "$1,249.50 "])
    NumberForm(decimal='.', thousands=True, signs=True, unclear=False)
    >>> number_form(["1.234,50", "12,5"])
    NumberForm(decimal=',', thousands=True, signs=False, unclear=False)
    >>> number_form(["12", "1.234.567"])
    NumberForm(decimal=',', thousands=True, signs=False, unclear=False)
    >>> number_form(["1,234"]).unclear, number_form(["red", "7"])
    (True, None)
    >>> number_form([*map(str, range(100)), "1,000.50"]).thousands
    True
    >>> number_form([*map(str, range(100)), "12,5"]).decimal
    ','
    """
    if not values:
        return None
    bare = [_SIGNS.sub("", value) for value in values]
    signs = any(a != b for a, b in zip(bare, values, strict=True))
    enough = _ENOUGH * len(values)
    # A few large numbers may have marks of thousands, and a few numbers decimals, where all others are plain.
    grouped = any("," in value and _GROUPED.fullmatch(value) for value in bare)
    comma = [value for value in bare if _COMMA.fullmatch(value) and not _GROUPED.fullmatch(value)]
    if comma:
        fits = [_COMMA, _GROUPED_BY_POINTS, _WHOLE]
        if sum(any(form.fullmatch(value) for form in fits) for value in bare) >= enough:
            return NumberForm(",", any("." in value for value in bare), signs)
    by_points = None if comma or grouped else _whole_by_points(bare, signs=signs)
    if by_points is not None:
        return by_points
    if sum(any(form.fullmatch(value) for form in (_PLAIN, _GROUPED)) for value in bare) >= enough:
        if not grouped:
            return NumberForm(signs=signs)
        sure = any("." in value or value.count(",") > 1 for value in bare)
        return NumberForm(".", True, signs, unclear=not sure)
    return None


def _whole_by_points(bare: Sequence[str], *, signs: bool) -> NumberForm | None:
    """The form of numbers whose points may all stand between thousands; None if a value has decimals."""
    numbers = [v for v in bare if _PLAIN.fullmatch(v) or _GROUPED_BY_POINTS.fullmatch(v)]
    pointed = [value for value in numbers if "." in value]
    if len(numbers) < _ENOUGH * len(bare) or not pointed:
        return None
    if not all(_GROUPED_BY_POINTS.fullmatch(value) for value in pointed):
        return None
    if any(value.count(".") > 1 for value in pointed):
        return NumberForm(",", True, signs)
    whole = [value for value in numbers if _WHOLE.fullmatch(value)]
    if not whole:
        return NumberForm(signs=signs, unclear=True)
    # Where points stand between thousands, a number without a point is below 1000.
    if any(len(value.lstrip("+-0")) > 3 for value in whole):
        return None
    return NumberForm(",", True, signs, unclear=True)
