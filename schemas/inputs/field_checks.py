"""Checks for one field of an input event; each is a function of the fields and the field's name.

For all of them null, an absent field and blank text mean the same: no value. They return the checked value,
or raise :class:`~schemas.errors.BadEvent` with the field as its path.
"""

import json
import math
import re
from collections.abc import Mapping
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import TypeVar

from schemas import days, times
from schemas.errors import BadEvent

MAX_ID_BYTES = 256
MAX_TEXT_BYTES = 1_024
MIN_WHOLE_ID, MAX_WHOLE_ID = -(2**63), 2**64 - 1
MAX_AGE = 150
MAX_QUANTITY = 2**63 - 1
SMALLEST_NUMBER, LARGEST_NUMBER = 1e-307, 1e308
SHOWN_CHARACTERS = 80
DELETED = "__deleted"
"""The field with which Debezium's ExtractNewRecordState marks a deleted row."""
ERASED_TYPE = "user.erased"
"""The ``type`` of an event that erases its user."""

Fields = Mapping[str, object]
# A whole number as the text of a float, as pandas writes it.
FLOAT_ID = re.compile(r"(-?[0-9]+)\.0+")
_BOOLEANS: dict[object, str] = {True: "true", False: "false", "true": "true", "false": "false"}
_NO_DATE = "is neither a date such as 2024-01-31 nor a time with an offset"
_Value = TypeVar("_Value")


def text(fields: Fields, name: str) -> str | None:
    """Return a text; None if there is none."""
    value = fields.get(name)
    if value is None:
        return None
    if type(value) is not str:
        raise BadEvent(name, f"{shown(value)} is not text")
    return _nonblank(name, value, MAX_TEXT_BYTES)


def text_or_whole(fields: Fields, name: str) -> str | None:
    """Return a text, also of a whole number: a shop writes a code as text in one place, as 7 in another."""
    value = fields.get(name)
    if value is None or type(value) is str:
        return text(fields, name)
    if isinstance(value, bool):
        raise BadEvent(name, f'{shown(value)} is not text: declare its feature with type = "boolean"')
    number = _whole(value)
    if number is None or not MIN_WHOLE_ID <= number <= MAX_WHOLE_ID:
        raise BadEvent(name, f"{shown(value)} is not text")
    return str(number)


def number(fields: Fields, name: str) -> float | None:
    """Return a number as a double, within the range that every warehouse reads; -0.0 is 0.0."""
    value = price(fields, name)
    if value is None:
        return None
    if value and not SMALLEST_NUMBER <= abs(value) < LARGEST_NUMBER:
        raise BadEvent(name, f"{shown(fields[name])} is neither 0 nor from 1e-307 to below 1e308")
    return float(value) + 0.0


def boolean(fields: Fields, name: str) -> str | None:
    """Return ``true`` or ``false`` as text, for a JSON boolean or such a text."""
    value = fields.get(name)
    if value is None or _is_blank(value):
        return None
    if type(value) in (bool, str) and value in _BOOLEANS:
        return _BOOLEANS[value]
    raise BadEvent(name, f'{shown(value)} is neither true nor false: give true, false, "true" or "false"')


def optional_id(fields: Fields, name: str) -> str | None:
    """Return an id as text: a text as it is, a whole number within 64 bits in decimal digits."""
    value = fields.get(name)
    if value is None:
        return None
    if type(value) is str:
        return _nonblank(name, value, MAX_ID_BYTES)
    number = _whole(value)
    if number is None or not MIN_WHOLE_ID <= number <= MAX_WHOLE_ID:
        raise BadEvent(name, f"{shown(value)} is neither text nor a whole number within 64 bits")
    return str(number)


def required_id(fields: Fields, name: str) -> str:
    """Return the id of a user or an order. Refuse a text such as "7.0": 7 and "7.0" would be two users."""
    value = _present(name, optional_id(fields, name))
    whole = FLOAT_ID.fullmatch(value)
    if whole is not None:
        raise BadEvent(name, f"{shown(value)} is a whole number written as a float: send {whole[1]}")
    return value


def _optional_written(fields: Fields, name: str, why_not: str) -> str | None:
    """Return the text of a time or a date; None if there is none. ``why_not`` is said of another type."""
    value = fields.get(name)
    if value is None:
        return None
    if type(value) is not str:
        raise BadEvent(name, f"{shown(value)} {why_not}")
    return _nonblank(name, value, MAX_TEXT_BYTES)


def optional_time(fields: Fields, name: str) -> datetime | None:
    """Return an RFC 3339 time with an offset, in UTC; None if there is none."""
    value = _optional_written(fields, name, times.EXPECTED)
    if value is None:
        return None
    try:
        return times.parse(value)
    except ValueError as error:
        raise BadEvent(name, f"{shown(value)} {error}") from None


def optional_date(fields: Fields, name: str, zone: tzinfo) -> str | None:
    """Return a date as text: of a date as it is, of a time with an offset its date in the zone."""
    value = _optional_written(fields, name, _NO_DATE)
    if value is None:
        return None
    try:
        written = days.parse_date(value) or days.date_in(times.parse(value), zone)
    except ValueError:
        raise BadEvent(name, f"{shown(value)} {_NO_DATE}") from None
    return written.isoformat()


def required_time(fields: Fields, name: str) -> datetime:
    """Return a time that must not be missing."""
    return _present(name, optional_time(fields, name))


def age(fields: Fields, name: str = "age") -> int | float | None:
    """Return an age in years, any number in 0..150; as an int if it is whole, so that 25.0 is 25."""
    value = _number_or_none(fields, name)
    if value is None:
        return None
    # Compare before the conversion: the number may be too large for a double.
    if not 0 <= value <= MAX_AGE:
        raise BadEvent(name, f"{shown(value)} is outside 0..{MAX_AGE}")
    years = float(value)
    return int(years) if years.is_integer() else years


def price(fields: Fields, name: str = "price") -> int | float | None:
    """Return any finite number: an int within 64 bits as it is, any other number as a double."""
    value = _number_or_none(fields, name)
    if value is None:
        return None
    if type(value) is int and MIN_WHOLE_ID <= value <= MAX_WHOLE_ID:
        return value
    try:
        amount = float(value)
    except OverflowError:
        amount = math.inf
    if not math.isfinite(amount):
        raise BadEvent(name, f"{shown(value)} is not a finite number")
    return amount


def quantity(fields: Fields, name: str = "quantity") -> int | None:
    """Return a whole number of at least 1 and below 2^63; 2.0 is 2."""
    value = fields.get(name)
    if value is None or _is_blank(value):
        return None
    number = _whole(value)
    if number is None or not 1 <= number <= MAX_QUANTITY:
        raise BadEvent(name, f"{shown(value)} is not a whole number of at least 1 and below 2^63")
    return number


def not_deleted(fields: Fields, instead: str) -> None:
    """Refuse a row that change data capture marks as deleted: it says nothing about a user."""
    if fields.get(DELETED) in (True, "true"):
        raise BadEvent(DELETED, f"the row was deleted, and that is no event: {instead}")


def shown(value: object) -> str:
    """Quote a value for a reason: JSON on one line, at most about 80 characters.

    >>> shown("a" * 100)[-4:], shown([1, 2]), shown(True)
    ('aa…"', 'an array', 'true')
    """
    if isinstance(value, list):
        return "an array"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, str):
        quoted = json.dumps(value[: SHOWN_CHARACTERS + 1], ensure_ascii=False)
        return quoted if len(quoted) <= SHOWN_CHARACTERS + 2 else quoted[: SHOWN_CHARACTERS + 1] + '…"'
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    digits = str(value)
    return digits if len(digits) <= SHOWN_CHARACTERS else digits[:SHOWN_CHARACTERS] + "…"


def _nonblank(name: str, value: str, limit: int) -> str | None:
    if _is_blank(value):
        return None
    # A character has at most 4 bytes, so a short text need not be encoded for the check.
    if len(value) * 4 > limit and len(value.encode()) > limit:
        raise BadEvent(name, f"{shown(value)} has more than {limit:,} bytes of UTF-8")
    return value


def _is_blank(value: object) -> bool:
    return type(value) is str and (not value or value.isspace())


def _present(name: str, value: _Value | None) -> _Value:
    if value is None:
        raise BadEvent(name, "is missing")
    return value


def _number_or_none(fields: Fields, name: str) -> int | float | Decimal | None:
    value = fields.get(name)
    if value is None or _is_blank(value):
        return None
    if type(value) is int or type(value) is Decimal or type(value) is float:
        return value
    raise BadEvent(name, f"{shown(value)} is not a number")


def _whole(value: object) -> int | None:
    """Return a JSON number as an int; None if it is not whole, or is a Decimal beyond 64 bits."""
    if type(value) is int:
        return value
    # Check the range first: a number such as 1e999999999 has a billion digits.
    if type(value) is Decimal and MIN_WHOLE_ID <= value <= MAX_WHOLE_ID:
        number = int(value)
        return number if number == value else None
    return None
