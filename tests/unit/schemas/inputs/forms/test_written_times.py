"""Dates of other systems; expected times by hand."""

from decimal import Decimal

import pytest

from schemas.inputs.forms.written_times import check_dates, rfc3339


@pytest.mark.parametrize(
    ("value", "form", "expected"),
    [
        (1706693400, "unix", "2024-01-31T09:30:00Z"),
        ("1706693400", "unix", "2024-01-31T09:30:00Z"),
        (Decimal("1706693400.5"), "unix", "2024-01-31T09:30:00.500000Z"),
        (1706693400123, "unix_ms", "2024-01-31T09:30:00.123000Z"),
        (1706693400123456, "unix_us", "2024-01-31T09:30:00.123456Z"),
        (19753, "unix_days", "2024-01-31T00:00:00Z"),
        (-1, "unix_days", "1969-12-31T00:00:00Z"),
        (Decimal("-0.0000001"), "unix", "1969-12-31T23:59:59.999999Z"),
        (Decimal("-1.5"), "unix_us", "1969-12-31T23:59:59.999998Z"),
        (Decimal("-2.0"), "unix_us", "1969-12-31T23:59:59.999998Z"),
        ("31.1.2024 09:30", "%d.%m.%Y %H:%M", "2024-01-31T09:30:00Z"),
        ("1/31/2024", "%m/%d/%Y", "2024-01-31T00:00:00Z"),
        ("2024-01-31 10:30 +0100", "%Y-%m-%d %H:%M %z", "2024-01-31T09:30:00Z"),
        # Understood under every form.
        ("2024-01-31T10:30:00+01:00", "unix", "2024-01-31T10:30:00+01:00"),
        ("2024-01-31T10:30:00+01:00", "%d.%m.%Y", "2024-01-31T10:30:00+01:00"),
        # For the checks of the contract.
        ("soon", None, "soon"),
        (None, "unix", None),
        (" ", "unix", " "),
    ],
)
def test_a_time_becomes_rfc_3339(value: object, form: str | None, expected: object) -> None:
    assert rfc3339(value, form) == expected


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ("31.02.2024", "%d.%m.%Y"),
        (1706693400, "%d.%m.%Y"),
        ("soon", "unix"),
        (True, "unix"),
        ({}, "unix_ms"),
        ("2024-01-31T10:30:00", "unix"),
        ("2024-02-13", "%Y-%d-%m"),  # and 2024-02-12 is 2 December
    ],
)
def test_a_time_in_another_form_is_refused(value: object, form: str) -> None:
    with pytest.raises(ValueError, match=f"is not a time in the form {form}"):
        rfc3339(value, form)


@pytest.mark.parametrize("value", [10**20, -(10**20), Decimal("1E+4000")])
def test_a_time_outside_the_calendar_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="outside the years 1 to 9999"):
        rfc3339(value, "unix")


@pytest.mark.parametrize(
    "form",
    ["unix", "unix_days", "%d.%m.%y", "%Y-%m-%dT%H:%M:%S.%fZ", "%A, %d %B %Y", "%c", "%x %X", "%d.%m.%Y %%Z"],
)
def test_good_forms(form: str) -> None:
    check_dates(form)


@pytest.mark.parametrize("form", ["", "dd.mm.yyyy", "%d.%m.", "%H:%M", "unix_s", "%Q", "%d.%m.%Y %"])
def test_a_form_without_year_month_and_day_is_refused(form: str) -> None:
    with pytest.raises(ValueError, match="give unix, unix_ms, unix_us, unix_days, or a pattern"):
        check_dates(form)


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ("%d.%m.%Y %I:%M", "%I reads 02:05 in the afternoon as in the morning"),
        ("%d.%m.%Y %H:%M %p", "%p counts only beside %I"),
    ],
)
def test_hours_of_half_a_day_without_their_half_are_refused(form: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        check_dates(form)
    check_dates("%d.%m.%Y %I:%M %p")


def test_the_name_of_a_zone_is_refused() -> None:
    """A machine in Warsaw would read CET, and as UTC."""
    with pytest.raises(ValueError, match=r"%Z reads names of zones, .* and give %z"):
        check_dates("%d.%m.%Y %H:%M %Z")
