"""Numbers that a source writes as text, as the setting ``decimal`` says: the same forms as in CSV files."""

import re
from decimal import Decimal
from typing import Literal

DecimalMark = Literal[".", ","]

_EXPONENT = r"([eE][+-]?[0-9]{1,3})?"
_WITH_POINT = re.compile(rf"[+-]?[0-9]{{1,300}}(\.[0-9]{{1,300}})?{_EXPONENT}")
# A number has one of these marks between its groups of three digits: a point, apostrophes, blanks.
_BETWEEN_GROUPS = ".'\u2019 \u00a0\u202f"
_GROUPED = "".join(rf"|[0-9]{{1,3}}({re.escape(mark)}[0-9]{{3}}){{1,99}}" for mark in _BETWEEN_GROUPS)
_WITH_COMMA = re.compile(rf"[+-]?([0-9]{{1,300}}{_GROUPED})(,[0-9]{{1,300}})?{_EXPONENT}")
_TO_POINT = str.maketrans({",": ".", **dict.fromkeys(_BETWEEN_GROUPS)})


def number_in(text: str, decimal: DecimalMark) -> int | Decimal | None:
    """Return the number in a text, as a JSON number is read; None if the text is no number.

    >>> number_in(" 12.50", "."), number_in("12,50", "."), number_in("1.234,50", ","), number_in("1.234", ",")
    (Decimal('12.50'), None, Decimal('1234.50'), 1234)
    """
    text = text.strip()
    if decimal == ",":
        if _WITH_COMMA.fullmatch(text) is None:
            return None
        text = text.translate(_TO_POINT)
    elif _WITH_POINT.fullmatch(text) is None:
        return None
    return int(text) if text.lstrip("+-").isdecimal() else Decimal(text)
