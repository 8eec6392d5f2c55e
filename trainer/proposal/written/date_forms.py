"""Finds the form of dates from their values."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from trainer.proposal.written.date_order import date_order, dates_of

# The forms that Segue reads without a setting (docs/warehouse.md).
_ISO = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?(?:Z|UTC|[+-]\d{2}(?::?\d{2})?))?)?",
    re.ASCII | re.IGNORECASE,
)
ISO_FORMS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d")
"""The same forms, most usual first, for a list beside others."""
_DIGITS = re.compile(r"(\d{1,4})([/.-])(\d{1,2})\2(\d{4}|\d{2}|\d)(?:([ T])(.*))?", re.ASCII)
_DAY_NAME = re.compile(r"(\d{1,2})([ -])([A-Za-z]{3,9})([ -])(\d{4}|\d{2})(?:( )(.*))?", re.ASCII)
_NAME_DAY = re.compile(r"([A-Za-z]{3,9})( )(\d{1,2})(, ?| )(\d{4})(?:( )(.*))?", re.ASCII)
_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2})?(\.\d+)?( ?)([AaPp][Mm])?", re.ASCII)
# Up to 2033: 2024013114 is a day with an hour.
_EPOCH = re.compile(r"(?:1\d{9}|1\d{12})", re.ASCII)
_COMPACT = re.compile(r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])", re.ASCII)
_ENOUGH = 0.95
_MOST_FORMS = 4

EPOCH_S, EPOCH_MS = "epoch seconds", "epoch milliseconds"


@dataclass(frozen=True, slots=True)
class DateForm:
    """How the dates of a column are written.

    Attributes:
        forms: as for strptime; empty for the forms that Segue reads by itself.
        other: the forms with day and month exchanged, if the values fit both; else empty.
        blanks: whether blanks stand around some dates.
        doubt: a sentence about values that speak against the forms; else empty.
    """

    forms: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    blanks: bool = False
    doubt: str = ""

    @property
    def epoch(self) -> bool:
        """Whether a date is a number of seconds or milliseconds since 1970."""
        return self.forms[:1] in ((EPOCH_S,), (EPOCH_MS,))


def date_form(
    values: Sequence[str],
    *,
    named_as_time: bool = False,
    count_dates: Callable[[], Mapping[str, int]] | None = None,
) -> DateForm | None:
    """Find how dates are written; None if the values are not dates.

    Whether the day or the month stands first is decided by the values above 12.

    Args:
        values: different values of a column.
        named_as_time: whether the column's name speaks of a time; only then may plain digits be a date.
        count_dates: says how often each date occurs in all rows, without its clock, as in 31/01/2016; without
            it each value counts once.

    >>> date_form(["1/31/2016", "2/1/2016"])
    DateForm(forms=('%m/%d/%Y',), other=(), blanks=False, doubt='')
    >>> date_form(["1/2/2016"]).other
    ('%d/%m/%Y',)
    >>> date_form(["31.1.2016 14:05"]).forms, date_form(["2016-01-31"]).forms, date_form(["red"])
    (('%d.%m.%Y %H:%M',), (), None)
    """
    stripped = [value.strip() for value in values]
    found = _form_of(stripped, count_dates or (lambda: dates_of(stripped)), named_as_time=named_as_time)
    return found if found is None or stripped == list(values) else replace(found, blanks=True)


def _form_of(
    values: Sequence[str], count_dates: Callable[[], Mapping[str, int]], *, named_as_time: bool
) -> DateForm | None:
    if not values:
        return None
    enough = _ENOUGH * len(values)
    if sum(_ISO.fullmatch(value) is not None for value in values) >= enough:
        return DateForm()
    if named_as_time:
        if sum(_COMPACT.fullmatch(value) is not None for value in values) >= enough:
            return DateForm(("%Y%m%d",))
        if sum(_EPOCH.fullmatch(value) is not None for value in values) >= enough:
            return DateForm((EPOCH_MS if len(values[0]) > 10 else EPOCH_S,))
    shapes = Counter(shape for value in values if (shape := _shape(value)) is not None)
    if sum(shapes.values()) < enough:
        return None
    # %y first: %Y would read 41 as the year 41.
    usual = tuple(sorted((s for s, _ in shapes.most_common(_MOST_FORMS)), key=lambda s: "%y" not in s))
    if not any("{a}" in shape for shape in usual):
        return DateForm(usual)
    return _ordered(usual, count_dates())


def _ordered(shapes: tuple[str, ...], dates: Mapping[str, int]) -> DateForm:
    unclear = [shape for shape in shapes if "{a}" in shape]
    if not unclear:
        return DateForm(shapes)
    order = date_order(
        dates,
        # With points the day stands first in every country.
        points=all("." in shape for shape in shapes),
        short_years=all("%y" in shape for shape in unclear),
    )
    found = [tuple(_with_order(shape, *parts) for shape in shapes) for parts in order.parts]
    return DateForm(found[0], found[1] if len(found) > 1 else (), doubt=order.doubt)


def _with_order(shape: str, first: str, second: str) -> str:
    if first == "%y" and "{a}" in shape:
        shape = shape.replace("%y", "%d")
    return shape.replace("{a}", first).replace("{b}", second)


def _shape(value: str) -> str | None:
    """The form of one value; {a} and {b} stand for parts in an unknown order."""
    if (found := _DIGITS.fullmatch(value)) is not None:
        first, mark, _, last, between, clock = found.groups()
        if len(first) == 4:
            date = f"%Y{mark}%m{mark}%d" if len(last) <= 2 else None
        else:
            date = f"{{a}}{mark}{{b}}{mark}{_year(last)}" if len(first) <= 2 and len(last) != 1 else None
    elif (found := _DAY_NAME.fullmatch(value)) is not None:
        _, mark, name, mark_2, last, between, clock = found.groups()
        date = f"%d{mark}{_month(name)}{mark_2}{_year(last)}"
    elif (found := _NAME_DAY.fullmatch(value)) is not None:
        name, mark, _, mark_2, last, between, clock = found.groups()
        date = f"{_month(name)}{mark}%d{mark_2}{_year(last)}"
    else:
        return None
    if date is None or not between:
        return date
    of_clock = _clock(clock)
    return f"{date}{between}{of_clock}" if of_clock is not None else None


def _year(digits: str) -> str:
    return "%Y" if len(digits) == 4 else "%y"


def _month(name: str) -> str:
    return "%b" if len(name) == 3 else "%B"


def _clock(text: str) -> str | None:
    found = _CLOCK.fullmatch(text)
    if found is None:
        return None
    seconds, fraction, blank, half = found.groups()
    form = ("%I" if half else "%H") + ":%M" + (":%S" if seconds else "") + (".%f" if fraction else "")
    return f"{form}{blank}%p" if half else form + blank
