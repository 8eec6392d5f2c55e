"""What fields become; what is refused stands in tests/support/inputs/bad_events.py."""

from decimal import Decimal

import pytest

from schemas.errors import BadEvent
from schemas.inputs import field_checks

NOTHING = [{}, {"x": None}, {"x": ""}, {"x": " \t\r\n"}, {"x": "\u3000\u2003\x1c\x85"}]


@pytest.mark.parametrize("fields", NOTHING)
def test_null_absent_and_blank_are_nothing(fields: dict[str, object]) -> None:
    assert field_checks.text(fields, "x") is None
    assert field_checks.optional_id(fields, "x") is None
    assert field_checks.optional_time(fields, "x") is None
    assert field_checks.age(fields, "x") is None
    assert field_checks.price(fields, "x") is None
    assert field_checks.quantity(fields, "x") is None


@pytest.mark.parametrize("value", [" F ", "\u200b", "\ufeff", "\0", "e\u0301", "FEMALE"])
def test_text_is_kept_as_it_came(value: str) -> None:
    assert field_checks.text({"x": value}, "x") == value
    assert field_checks.optional_id({"x": value}, "x") == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("007", "007"),
        (7, "7"),
        (0, "0"),
        (-(2**63), "-9223372036854775808"),
        (2**64 - 1, "18446744073709551615"),
        (Decimal("7.0"), "7"),
        (Decimal("-0.0"), "0"),
        (Decimal("1e3"), "1000"),
        (Decimal("70e-1"), "7"),
        # One more than the largest whole number of doubles without gaps.
        (Decimal("9007199254740993.0"), "9007199254740993"),
        (Decimal("18446744073709551615.0"), "18446744073709551615"),
    ],
)
def test_an_id_is_its_text(value: object, expected: str) -> None:
    assert field_checks.required_id({"x": value}, "x") == expected


@pytest.mark.parametrize(
    "value",
    [
        Decimal("7.00000000000000000000000000000000000001"),
        Decimal("18446744073709551615.5"),
        Decimal("18446744073709551616.0"),
        Decimal("1e999999999"),
        Decimal("1e-999999999"),
        float("inf"),
    ],
)
def test_no_digit_of_an_id_is_lost(value: object) -> None:
    with pytest.raises(BadEvent):
        field_checks.required_id({"x": value}, "x")


@pytest.mark.parametrize("ending", ["", "é", "😀"])
def test_the_limits_are_in_bytes(ending: str) -> None:
    for limit, check in ((256, field_checks.optional_id), (1024, field_checks.text)):
        fits = "a" * (limit - len(ending.encode())) + ending
        assert check({"x": fits}, "x") == fits
        with pytest.raises(BadEvent, match="bytes of UTF-8"):
            check({"x": "a" + fits}, "x")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, 0),
        (150, 150),
        (Decimal("25.0"), 25),
        (Decimal("25.5"), 25.5),
        (Decimal("-0.0"), 0),
        (Decimal("0.1"), 0.1),
    ],
)
def test_age(value: object, expected: float) -> None:
    years = field_checks.age({"age": value})
    assert years == expected
    assert type(years) is type(expected)


@pytest.mark.parametrize("value", [Decimal("150.0000001"), Decimal("-0.0000001"), 10**400, float("inf")])
def test_age_out_of_range(value: object) -> None:
    with pytest.raises(BadEvent, match=r"is outside 0\.\.150"):
        field_checks.age({"age": value})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5),
        (-1, -1),
        (Decimal("5.0"), 5.0),
        (Decimal("0.1"), 0.1),
        (2**64 - 1, 2**64 - 1),
        (2**64, 18446744073709551616.0),
        (Decimal("1e-400"), 0.0),
    ],
)
def test_price(value: object, expected: float) -> None:
    amount = field_checks.price({"price": value})
    assert amount == expected
    assert type(amount) is type(expected)


@pytest.mark.parametrize("value", [10**309, -(10**309), Decimal("1e309"), Decimal("-1e309"), float("-inf")])
def test_a_price_beyond_doubles_is_not_finite(value: object) -> None:
    with pytest.raises(BadEvent, match="is not a finite number"):
        field_checks.price({"price": value})


@pytest.mark.parametrize(
    ("value", "expected"), [(1, 1), (Decimal("2.0"), 2), (2**63 - 1, 2**63 - 1), (Decimal("1e3"), 1000)]
)
def test_quantity(value: object, expected: int) -> None:
    number = field_checks.quantity({"quantity": value})
    assert number == expected
    assert type(number) is int


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a" * 80, '"' + "a" * 80 + '"'),
        ("a" * 81, '"' + "a" * 80 + '…"'),
        ("a\nb\0", '"a\\nb\\u0000"'),
        ("ñ", '"ñ"'),
        ({}, "an object"),
        ([1], "an array"),
        (None, "null"),
        (False, "false"),
        (7, "7"),
        (Decimal("1.50"), "1.50"),
        (10**100, "1" + "0" * 79 + "…"),
    ],
)
def test_shown(value: object, expected: str) -> None:
    assert field_checks.shown(value) == expected
