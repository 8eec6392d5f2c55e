"""Millionths; expected values are worked out with exact fractions, or by hand."""

from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.inputs.amounts import MAX_PRICE, amount, millionths


@pytest.mark.parametrize(
    ("price", "expected"),
    [(0, 0), (-0.0, 0), (7, 7_000_000), (19.99, 19_990_000), (-19.99, -19_990_000), (1e-7, 0), (5e-7, 1)],
)
def test_prices_in_millionths(price: float, expected: int) -> None:
    assert millionths(price) == expected


@given(st.integers(-(10**15), 10**15))
def test_a_price_of_six_decimals_is_exact(number: int) -> None:
    price = float(Fraction(number, 1_000_000))
    assert millionths(price) == number
    assert amount(number) == price


@given(st.floats(-MAX_PRICE, MAX_PRICE))
def test_any_price_is_within_a_few_roundings_of_the_exact_number(price: float) -> None:
    exact = floor(Fraction(price) * 1_000_000 + Fraction(1, 2))
    assert abs(millionths(price) - exact) <= 1 + abs(exact) // 2**51
