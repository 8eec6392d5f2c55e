"""The form of dates, found from their values."""

from datetime import datetime

import pytest

from trainer.proposal.written.date_forms import EPOCH_MS, EPOCH_S, DateForm, date_form

A, B = datetime(2016, 1, 31, 14, 5, 9), datetime(2016, 12, 2, 1, 45, 0)  # noqa: DTZ001


@pytest.mark.parametrize(
    "form",
    [
        "%m/%d/%Y", "%m/%d/%Y %H:%M", "%m/%d/%Y %I:%M %p", "%m/%d/%y %H:%M:%S", "%d/%m/%Y", "%d.%m.%Y %H:%M",
        "%d.%m.%y", "%d-%m-%Y", "%Y/%m/%d", "%Y/%m/%d %H:%M:%S", "%Y.%m.%d", "%d-%b-%Y", "%d %b %Y %H:%M",
        "%b %d, %Y", "%B %d, %Y",
    ],
)  # fmt: skip
def test_a_form_is_found_from_values_that_were_written_by_it(form: str) -> None:
    found = date_form([A.strftime(form), B.strftime(form)])
    assert found is not None
    assert found.forms == (form,)
    assert found.other == ()


@pytest.mark.parametrize(
    "value",
    [
        "2016-01-31",
        "2016-01-31 14:05",
        "2016-01-31T14:05:09Z",
        "2016-01-31 14:05:09.123+01:00",
        "2016-01-31 14:05:09 UTC",
    ],
)
def test_forms_that_segue_reads_need_no_setting(value: str) -> None:
    found = date_form([value])
    assert found is not None
    assert (found.forms, found.other, found.blanks) == ((), (), False)


def test_day_and_month_are_decided_by_a_value_above_12_alone() -> None:
    unclear = date_form(["1/2/2016", "12/12/2016"])
    assert unclear is not None
    assert (unclear.forms, unclear.other) == (("%m/%d/%Y",), ("%d/%m/%Y",))
    for value, form in (("13/2/2016", "%d/%m/%Y"), ("2/13/2016", "%m/%d/%Y")):
        found = date_form(["1/2/2016", value])
        assert found is not None
        assert (found.forms, found.other) == ((form,), ())


@pytest.mark.parametrize(("mistake", "says"), [("31/02/2026", True), ("13/13/2026", False)])
def test_one_wrong_date_exchanges_no_day_and_month(mistake: str, says: bool) -> None:
    days = [f"{month:02}/{day:02}/2026" for month in range(1, 13) for day in range(1, 29)]
    found = date_form([*days, mistake])
    assert found is not None
    assert found.forms == ("%m/%d/%Y",)
    assert ("1 value (such as 31/02/2026)" in found.doubt and "192 values" in found.doubt) is says
    turned = date_form([*(f"{d}/{m}/{y}" for m, d, y in (day.split("/") for day in days)), "02/31/2026"])
    assert turned is not None
    assert turned.forms == ("%d/%m/%Y",)
    assert turned.doubt


def test_all_rows_count_not_only_the_values_that_are_given() -> None:
    found = date_form(["31/01/2026", "01/31/2026"], count_dates=lambda: {"31/01/2026": 2, "01/31/2026": 9})
    assert found is not None
    assert found.forms == ("%m/%d/%Y",)


def test_a_year_of_two_digits_may_stand_first() -> None:
    days = [f"{year}-{month:02}-{day:02}" for year in (25, 26) for month in (8, 9) for day in range(1, 31)]
    for values, forms in (
        ([*days, "02-13-26"], ("%y-%m-%d",)),
        ([f"{d} 10:00" for d in days], ("%y-%m-%d %H:%M",)),
    ):
        found = date_form(values)
        assert found is not None
        assert found.forms == forms
        assert "(such as 25-08-01)" in found.doubt
    certain = date_form([*days, "99-08-01", "98-08-01"])
    assert certain is not None
    assert (certain.forms, certain.doubt) == (("%y-%m-%d",), "")
    last = date_form(["-".join(reversed(day.split("-"))) for day in days])
    assert last is not None
    assert (last.forms, last.doubt) == (("%d-%m-%y",), "")


def test_digits_are_a_date_only_if_the_name_says_so() -> None:
    for value, form in (("1580000000", EPOCH_S), ("1580000000123", EPOCH_MS), ("20160131", "%Y%m%d")):
        found = date_form([value], named_as_time=True)
        assert found is not None
        assert found.forms == (form,)
        assert date_form([value]) is None


def test_blanks_and_a_few_wrong_values() -> None:
    blank = date_form(["2016-01-31 "])
    assert blank is not None
    assert blank.blanks
    days = [f"{day}.1.2016" for day in range(1, 29)]
    assert date_form([*days, "soon"]) is not None
    assert date_form([*days[:5], "soon"]) is None


def test_two_forms_in_one_column() -> None:
    found = date_form(["31.1.2016", "31.1.2016 14:05"])
    assert found is not None
    assert set(found.forms) == {"%d.%m.%Y", "%d.%m.%Y %H:%M"}


def test_years_of_two_digits_come_first() -> None:
    found = date_form(["31.1.2016", "30.1.2016 ", "31.1.41"])
    assert found is not None
    assert found.forms == ("%d.%m.%y", "%d.%m.%Y")


@pytest.mark.parametrize("value", ["red", "12.5", "1.2.3", "10.0.0.1", "2016", "", "32/33", "1/2/3"])
def test_what_is_no_date(value: str) -> None:
    assert date_form([value]) is None


def test_dates_that_the_count_does_not_find_have_a_form() -> None:
    found = date_form(["1/31/24", "2/28/24"], count_dates=dict)
    assert found is not None
    assert (found.forms, found.other) == (("%m/%d/%y",), ("%d/%m/%y",))


def test_a_form_whose_order_is_clear_needs_no_count_and_has_no_doubt() -> None:
    found = date_form(["31 Jan 2024"] * 20, count_dates=lambda: {"31/01/24": 1})
    assert found == DateForm(("%d %b %Y",))
