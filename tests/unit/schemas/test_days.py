from datetime import UTC, date, datetime

import pytest

from schemas.days import date_in, parse_date, zone_of


@pytest.mark.parametrize("name", ["Berlin", "Europe/Berlin/", "/etc/passwd", "../UTC", "", "Europe", "a\0b"])
def test_what_is_no_zone(name: str) -> None:
    with pytest.raises(
        ValueError, match=r"^use a name of the IANA time zone database, such as Europe/Berlin"
    ):
        zone_of(name)


def test_the_date_of_a_time_is_that_of_the_zone() -> None:
    at = datetime(2024, 7, 1, 22, tzinfo=UTC)
    assert date_in(at, zone_of("UTC")) == date(2024, 7, 1)
    assert date_in(at, zone_of("Europe/Berlin")) == date(2024, 7, 2)  # summer time: midnight
    assert date_in(datetime(2024, 1, 1, 22, tzinfo=UTC), zone_of("Europe/Berlin")) == date(2024, 1, 1)
    # Apia had no 30th of December 2011.
    assert date_in(datetime(2011, 12, 30, 9, 59, 59, tzinfo=UTC), zone_of("Pacific/Apia")) == date(
        2011, 12, 29
    )
    assert date_in(datetime(2011, 12, 30, 10, tzinfo=UTC), zone_of("Pacific/Apia")) == date(2011, 12, 31)


def test_the_calendar_has_ends() -> None:
    assert date_in(datetime(1, 1, 1, tzinfo=UTC), zone_of("America/St_Johns")) == date.min
    assert date_in(datetime(9999, 12, 31, 23, tzinfo=UTC), zone_of("Asia/Kolkata")) == date.max


def test_a_date_is_read_and_another_form_is_none() -> None:
    assert parse_date("2024-02-29") == date(2024, 2, 29)
    assert parse_date("20240229") is parse_date("2024-W09-4") is parse_date("2024-02-29T00:00:00Z") is None
    with pytest.raises(ValueError, match="day"):
        parse_date("2023-02-29")
