"""Times as other systems write them, as RFC 3339 text.

A form of dates is ``unix`` (seconds since 1970), ``unix_ms``, ``unix_us``, ``unix_days``, or a pattern of
Python's ``strptime``. A time without an offset is in UTC. An RFC 3339 time is understood under every form.
"""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache

from schemas import days, times

UNITS = {
    "unix": timedelta(seconds=1),
    "unix_ms": timedelta(milliseconds=1),
    "unix_us": timedelta(microseconds=1),
    "unix_days": timedelta(days=1),
}
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?")
_SAMPLE = datetime(2024, 1, 31, 14, 5, 9, tzinfo=UTC)
_CODE = re.compile("%(.)", re.DOTALL)
HALF_A_DAY = (
    "%I reads 02:05 in the afternoon as in the morning: add %p for AM and PM, or write %H for hours to 23"
)
"""Why a form of dates is refused that has %I without %p."""
# The codes of a time of day and of an offset.
_CLOCK = frozenset("HIMSfpzcX")
_MIDNIGHT = "T00:00:00Z"
_MICROSECOND = timedelta(microseconds=1)


def check_dates(form: str) -> None:
    """Check a form of dates.

    Raises:
        ValueError: it is neither a unit nor a pattern that says year, month and day, or it has %Z, or only
            one of %I and %p.
    """
    if form in UNITS:
        return
    # strptime knows UTC, GMT and the names of the machine's own zone, and drops them all.
    if "Z" in _codes(form):
        raise ValueError(
            "%Z reads names of zones, and each machine knows others: send offsets such as +01:00 and give %z;"
            " if all times are in UTC, write the word itself, such as %d.%m.%Y %H:%M UTC"
        )
    halves = {"I", "p"}.intersection(_codes(form))
    if halves == {"I"}:
        raise ValueError(HALF_A_DAY)
    if halves == {"p"}:
        raise ValueError("%p counts only beside %I: write %I for hours to 12, or take %p out")
    try:
        read = datetime.strptime(_SAMPLE.strftime(form), form)  # noqa: DTZ007 - only its date is compared
    except (ValueError, re.error):
        read = None
    if read is None or read.date() != _SAMPLE.date():
        raise ValueError(
            f"give {', '.join(UNITS)}, or a pattern with year, month and day, such as %d.%m.%Y %H:%M"
        )


def rfc3339(value: object, form: str | None) -> object:
    """Return a time as RFC 3339 text, and any other value as it is; a date alone is its midnight in UTC.

    >>> rfc3339(1706693400, "unix"), rfc3339("31.01.2024 09:30", "%d.%m.%Y %H:%M")
    ('2024-01-31T09:30:00Z', '2024-01-31T09:30:00Z')

    Args:
        value: a value of a source's JSON.
        form: the form of the dates; None for RFC 3339.

    Raises:
        ValueError: the value is not written in this form.
    """
    if form is None:
        return midnight(value)
    if _is_nothing(value) or _is_rfc3339(value):
        return value
    if (at := _in_form(value, form)) is not None:
        return at
    if not _reads_dates(form) and _is_date(value):
        return midnight(value)
    raise ValueError(f"is not a time in the form {form}")


def date_or_time(value: object, form: str | None) -> object:
    """Return a date as text if its form has no clock, a time as RFC 3339 text, and any other value as it is.

    >>> date_or_time("31.12.1990", "%d.%m.%Y"), date_or_time("31.12.1990 09:30", "%d.%m.%Y %H:%M")
    ('1990-12-31', '1990-12-31T09:30:00Z')

    Args:
        value: a value of a source's JSON.
        form: the form of the dates; None for dates such as 2024-01-31 and RFC 3339.

    Raises:
        ValueError: the value is not written in this form.
    """
    if form is None or _is_nothing(value) or _is_rfc3339(value):
        return value
    if (at := _in_form(value, form)) is not None:
        return at if _has_clock(form) else at.removesuffix(_MIDNIGHT)
    if not _reads_dates(form) and _is_date(value):
        return value
    raise ValueError(f"is neither a date such as 2024-01-31 nor in the form {form}")


def midnight(value: object) -> object:
    """Return a date as RFC 3339 text, its midnight in UTC, and any other value as it is.

    >>> midnight("2024-01-31"), midnight("2024-02-31")
    ('2024-01-31T00:00:00Z', '2024-02-31')
    """
    return f"{value}{_MIDNIGHT}" if _is_date(value) else value


def since_1970(count: float | Decimal, unit: timedelta) -> str:
    """Return a time as RFC 3339 text, cut to microseconds.

    Raises:
        ValueError: the time lies outside the years 1 to 9999.
    """
    try:
        # In whole microseconds: the product of a duration and a float rounds.
        micros = Decimal(count) * (unit // _MICROSECOND)
        # Down, as digits of RFC 3339 are cut: // cuts a Decimal towards zero.
        return times.text(times.EPOCH + timedelta(microseconds=int(micros // 1 - (micros % 1 < 0))))
    except (OverflowError, ArithmeticError, ValueError):
        raise ValueError("is a time outside the years 1 to 9999") from None


def _codes(form: str) -> list[str]:
    """Return the letters of a pattern's codes; %% is the sign itself."""
    return _CODE.findall(form)


@cache
def _has_clock(form: str) -> bool:
    return form != "unix_days" if form in UNITS else not _CLOCK.isdisjoint(_codes(form))


@cache
def _reads_dates(form: str) -> bool:
    """Whether a pattern such as %Y-%d-%m reads texts like 2024-01-02: then it alone decides on them."""
    return form not in UNITS and _in_form("2024-01-02", form) is not None


def _in_form(value: object, form: str) -> str | None:
    """Return the time as RFC 3339 text; None if it is not written in the form."""
    if form in UNITS:
        number = _number(value)
        return None if number is None else since_1970(number, UNITS[form])
    if not isinstance(value, str):
        return None
    try:
        at = datetime.strptime(value, form)  # noqa: DTZ007 - without an offset it is UTC
        return times.text(at if at.tzinfo else at.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None


def _is_nothing(value: object) -> bool:
    return value is None or (isinstance(value, str) and (value.isspace() or not value))


def _is_date(value: object) -> bool:
    try:
        return isinstance(value, str) and days.parse_date(value) is not None
    except ValueError:
        return False


def _is_rfc3339(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        times.parse(value)
    except ValueError:
        return False
    return True


def _number(value: object) -> int | float | Decimal | None:
    if isinstance(value, str):
        return Decimal(value) if _NUMBER.fullmatch(value) else None
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return value
    return None
