from datetime import UTC, datetime, timedelta, timezone

import pytest

from schemas import times


def utc(*parts: int) -> datetime:
    year, month, day, hour, minute, second, micros = (*parts, *(0,) * (7 - len(parts)))
    return datetime(year, month, day, hour, minute, second, micros, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2024-01-31T09:30:00Z", utc(2024, 1, 31, 9, 30)),
        ("2024-01-31t09:30:00z", utc(2024, 1, 31, 9, 30)),
        ("2024-01-31 09:30:00+00:00", utc(2024, 1, 31, 9, 30)),
        ("2024-01-31T00:30:00+01:00", utc(2024, 1, 30, 23, 30)),
        ("2024-01-31T23:30:00-00:45", utc(2024, 2, 1, 0, 15)),
        ("2024-02-29T12:00:00Z", utc(2024, 2, 29, 12)),
        # Cut, not rounded; a fraction of one digit is tenths.
        ("2024-01-31T09:30:00.1234569Z", utc(2024, 1, 31, 9, 30, 0, 123456)),
        ("2024-01-31T23:59:59.9999999Z", utc(2024, 1, 31, 23, 59, 59, 999999)),
        ("2024-01-31T09:30:00.5Z", utc(2024, 1, 31, 9, 30, 0, 500000)),
        ("1969-12-31T23:59:59.9999999Z", utc(1969, 12, 31, 23, 59, 59, 999999)),
        ("0001-01-01T00:00:00Z", utc(1, 1, 1)),
        ("9999-12-31T23:59:59Z", utc(9999, 12, 31, 23, 59, 59)),
    ],
)
def test_parse(text: str, at: datetime) -> None:
    assert times.parse(text) == at
    assert times.parse(text).utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is not an RFC 3339 time"),
        ("2024-01-31", "is not an RFC 3339 time"),
        ("2024-01-31T09:30Z", "is not an RFC 3339 time"),
        ("2024-1-31T09:30:00Z", "is not an RFC 3339 time"),
        ("2024-01-31T09:30:00.Z", "is not an RFC 3339 time"),
        ("2024-01-31T09:30:00+0100", "is not an RFC 3339 time"),
        ("2024-01-31T09:30:00 Z", "is not an RFC 3339 time"),
        ("2024-01-31T09:30:00Z\n", "is not an RFC 3339 time"),
        ("２024-01-31T09:30:00Z", "is not an RFC 3339 time"),
        ("2024-01-31T09:30:00", "has no offset"),
        ("2024-01-31T09:30:00.5", "has no offset"),
        ("2023-02-29T00:00:00Z", "is not a time that exists"),
        ("2024-13-01T00:00:00Z", "is not a time that exists"),
        ("2024-01-31T24:00:00Z", "is not a time that exists"),
        ("2024-01-31T23:59:60Z", "is not a time that exists"),
        ("2024-01-31T09:30:00+24:00", "is not a time that exists"),
        ("2024-01-31T09:30:00+01:60", "is not a time that exists"),
        ("0000-01-01T00:00:00Z", "is not a time that exists"),
        ("0001-01-01T00:00:00+00:01", "is not a time that exists"),
        ("9999-12-31T23:59:59-00:01", "is not a time that exists"),
    ],
)
def test_parse_refuses(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        times.parse(text)


def test_text_is_utc_and_without_needless_digits() -> None:
    assert times.text(utc(2024, 1, 31, 9, 30)) == "2024-01-31T09:30:00Z"
    assert times.text(utc(2024, 1, 31, 9, 30, 0, 500000)) == "2024-01-31T09:30:00.500000Z"
    assert times.text(datetime(2024, 1, 31, 1, tzinfo=timezone(timedelta(hours=2)))) == "2024-01-30T23:00:00Z"
    assert times.text(utc(1, 1, 1)) == "0001-01-01T00:00:00Z"


def test_from_millis() -> None:
    assert times.from_millis(0) == times.EPOCH
    assert times.from_millis(1_706_693_400_123) == utc(2024, 1, 31, 9, 30, 0, 123000)
    assert times.from_millis(-1) == utc(1969, 12, 31, 23, 59, 59, 999000)


def test_from_millis_beyond_the_years_that_exist_is_the_nearest_that_does() -> None:
    assert times.from_millis(2**63 - 1) == utc(9999, 12, 31, 23, 59, 59, 999999)
    assert times.from_millis(-(2**63)) == utc(1, 1, 1)
