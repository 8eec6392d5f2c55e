"""Finds in which order day, month and year stand in dates of digits, from how often their values occur."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from schemas.printable import printable_cell

DATE = r"^\s*([0-9]{1,2}[/.-][0-9]{1,2}[/.-](?:[0-9]{4}|[0-9]{2}))(?:[^0-9]|$)"
"""The regular expression of a value that begins with a date of digits; its group is the date."""
_MONTHS, _DAYS = 12, 31
# A smaller share of values may be mistakes.
_SURE = 0.01
# Days of the month are many, years few.
_MANY_DAYS, _TIMES_THE_YEARS = 20, 4


class DateOrder(NamedTuple):
    """The order of the parts of dates such as 31/01/26.

    Attributes:
        parts: the first and the second part, such as ``("%d", "%m")``; after ``("%y", "%m")`` comes the day.
            Two orders, the likely one first, if no value decides between day and month.
        doubt: a sentence about values that speak against the order, or about a year that is not certain;
            else empty.
    """

    parts: tuple[tuple[str, str], ...]
    doubt: str = ""


def dates_of(values: Iterable[str]) -> Counter[str]:
    """Count the dates that values begin with, without their clocks.

    >>> dates_of(["31/01/26 14:05", "31/01/26", "red"])
    Counter({'31/01/26': 2})
    """
    return Counter(found[1] for value in values if (found := re.match(DATE, value)) is not None)


def date_order(dates: Mapping[str, int], *, points: bool, short_years: bool) -> DateOrder:
    """Find the order of the parts. The larger number of values decides: a few may be mistakes.

    Args:
        dates: how often each date occurs; empty if none is found, as behind an odd blank.
        points: whether the parts stand between points: then the day stands before the month.
        short_years: whether all years have two digits, so that the first part could be the year.

    >>> date_order({"05/16/2026": 9, "31/02/2026": 1}, points=False, short_years=False).parts
    (('%m', '%d'),)
    """
    parts = {date: _numbers(date) for date in dates}
    doubt = ""
    if short_years and dates:
        year_first, doubt = _year_first(dates, parts)
        if year_first:
            return DateOrder((("%y", "%m"),), doubt)
    day_first, month_first = ("%d", "%m"), ("%m", "%d")
    firsts = {d: n for d, n in dates.items() if _could_be(parts[d][1], _MONTHS) and _is_day(parts[d][0])}
    seconds = {d: n for d, n in dates.items() if _could_be(parts[d][0], _MONTHS) and _is_day(parts[d][1])}
    by_first, by_second = sum(firsts.values()), sum(seconds.values())
    if by_first == by_second == 0:
        return DateOrder((day_first,) if points else (month_first, day_first), doubt)
    of_days = by_first > by_second or (by_first == by_second and points)
    if by_first and by_second:
        form = "day first, then the month" if of_days else "month first, then the day"
        doubt = (
            f"the day stands first in {_counted(firsts)} and second in {_counted(seconds)}; all are read as"
            f" {form}, so the others are left out or get day and month exchanged: read both in a query"
        )
    return DateOrder((day_first if of_days else month_first,), doubt)


def _year_first(dates: Mapping[str, int], parts: Mapping[str, tuple[int, int, int]]) -> tuple[bool, str]:
    """Whether the year of two digits stands first, and a sentence if that is not certain."""
    firsts = {d: n for d, n in dates.items() if _no_day(parts[d][0]) and _could_be(parts[d][2], _DAYS)}
    lasts = {
        d: n
        for d, n in dates.items()
        if _could_be(parts[d][0], _DAYS) and (_no_day(parts[d][2]) or not d[1].isdigit() or parts[d][1] > 12)
    }
    by_first, by_last = sum(firsts.values()), sum(lasts.values())
    years, days = (len({numbers[place] for numbers in parts.values()}) for place in (2, 0))
    if abs(by_first - by_last) >= _SURE * sum(dates.values()) and by_first != by_last:
        first = by_first > by_last
        if not (by_first and by_last):
            return first, ""
    else:
        first = years > days
        if not first and days >= _MANY_DAYS and days >= _TIMES_THE_YEARS * years:
            return False, ""
    sample = printable_cell(max(dates, key=lambda date: dates[date]))
    stands, other = ("first", "last") if first else ("last", "first")
    return first, (
        f"no value says for certain whether the year stands first or last (such as {sample}); it is read as"
        f" standing {stands}, so correct the form where it stands {other}"
    )


def _numbers(date: str) -> tuple[int, int, int]:
    first, second, third = re.split("[/.-]", date)
    return int(first), int(second), int(third)


def _could_be(number: int, most: int) -> bool:
    return 1 <= number <= most


def _no_day(number: int) -> bool:
    return not _could_be(number, _DAYS)


def _is_day(number: int) -> bool:
    """Whether a number is a day and no month."""
    return _MONTHS < number <= _DAYS


def _counted(dates: Mapping[str, int]) -> str:
    """How many values, with the most frequent.

    >>> _counted({"31/01/2026": 2, "30/01/2026": 1})
    '3 values (such as 31/01/2026)'
    """
    count = sum(dates.values())
    sample = printable_cell(max(dates, key=lambda date: dates[date]))
    return f"{count:,} value{'' if count == 1 else 's'} (such as {sample})"
