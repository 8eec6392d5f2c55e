"""The offsets of zones, as SQL has them, are those of Python."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import duckdb
import pytest

from schemas.days import date_in, zone_of
from trainer.warehouse.queries.local_dates import local_date, offsets


def at(*parts: int) -> datetime:
    """A time in UTC, as a warehouse has it."""
    return datetime(*parts, tzinfo=UTC).replace(tzinfo=None)  # type: ignore[misc, arg-type]


def test_the_offsets_of_kolkata() -> None:
    # The zone file: local mean time, then Howrah, Madras, Indian Standard, and war time twice.
    found = [offset for _, offset in offsets("Asia/Kolkata", date(2024, 1, 1))]
    assert found == [21_208, 21_200, 19_270, 19_800, 23_400, 19_800, 23_400, 19_800]


def test_the_offsets_end_after_the_day() -> None:
    # Summer time began on 31 March 2024, at 1 o'clock UTC.
    assert offsets("Europe/Berlin", date(2024, 3, 30))[-1] == (at(2024, 3, 31, 1), 7_200)
    assert offsets("Europe/Berlin", date(2024, 3, 1))[-1] == (at(2023, 10, 29, 1), 3_600)


@pytest.mark.parametrize("name", ["Europe/Berlin", "America/St_Johns", "Pacific/Apia"])
def test_dates_are_those_of_python(name: str) -> None:
    some, zone, day = Random(7), zone_of(name), date(2030, 1, 1)
    begins = [begin for begin, _ in offsets(name, day)]
    near = [begin + timedelta(seconds=some.randrange(-90_000, 90_000)) for begin in begins for _ in range(20)]
    times = [at(1, 1, 1), at(1, 1, 1, 12), *begins, *near]
    rows = ", ".join(f"(timestamp '{time}')" for time in times)
    query = f"select {local_date('made_at', name, day)} from (values {rows}) as times(made_at)"
    found = duckdb.connect().execute(query).fetchall()
    assert [row[0] for row in found] == [date_in(time.replace(tzinfo=UTC), zone) for time in times]


@pytest.mark.parametrize("name", ["Europe/Berlin", "America/St_Johns", "Pacific/Apia"])
@pytest.mark.parametrize("begin", [date(2011, 11, 6), date(2011, 12, 31), date(2012, 4, 1)])
def test_of_a_window_the_dates_are_right_and_no_other_date_lies_in_it(name: str, begin: date) -> None:
    zone, day = zone_of(name), begin + timedelta(days=90)
    times = [at(begin.year, begin.month, begin.day) + timedelta(minutes=29 * n) for n in range(-9_000, 9_000)]
    rows = ", ".join(f"(timestamp '{time}')" for time in times)
    query = f"select {local_date('made_at', name, day, begin)} from (values {rows}) as times(made_at)"
    found = [row[0] for row in duckdb.connect().execute(query).fetchall()]
    right = [date_in(time.replace(tzinfo=UTC), zone) for time in times]
    assert [each for each in found if begin <= each <= day] == [
        each for each in right if begin <= each <= day
    ]
    assert [begin <= each <= day for each in found] == [begin <= each <= day for each in right]
