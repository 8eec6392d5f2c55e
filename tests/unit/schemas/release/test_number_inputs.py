"""What the model reads in place of a number."""

from decimal import Context, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.release.model_release import EncodedFeature
from schemas.release.number_inputs import ln_1p, number_input

SPEND = EncodedFeature("spend", "log")
EXACT = Context(prec=60)


def exact(value: float) -> float:
    return float(EXACT.ln(EXACT.add(Decimal(value), 1)))


@pytest.mark.parametrize("value", [0.5, -3.0, 7, 2**40])
def test_a_number_stays(value: float) -> None:
    assert number_input(EncodedFeature("spend", "number"), value) == value


def test_the_logarithm_of_nothing_is_nothing_and_below_is_missing() -> None:
    assert number_input(SPEND, 0) == number_input(SPEND, -0.0) == 0.0
    assert number_input(SPEND, -1e-300) is None
    assert number_input(SPEND, -1.0) is None
    assert number_input(SPEND, 1) == exact(1) == 0.6931471805599453


@pytest.mark.parametrize(
    ("value", "group"), [(-7, 1), (9.9, 1), (10, 1), (10.000001, 2), (20, 2), (20.5, 3), (1e300, 3)]
)
def test_a_number_on_a_border_is_in_the_lower_group(value: float, group: float) -> None:
    spend = EncodedFeature("spend", "quantile", quantile=5, borders=(10.0, 20.0))
    assert number_input(spend, value) == group


@given(st.floats(0, 1.7e308) | st.floats(0, 1e6) | st.integers(0, 10**9).map(float))
def test_it_is_the_logarithm(value: float) -> None:
    assert ln_1p(value) == pytest.approx(exact(value), rel=1e-15, abs=2.3e-16)


@given(st.floats(0, 1e12), st.floats(0, 1e12))
def test_more_is_never_less(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert ln_1p(low) <= ln_1p(high) + 1e-15


def test_not_a_bit_changes_between_versions_and_machines() -> None:
    """Kept as they first were: another bit would move users who lie on a border."""
    bits = [ln_1p(value).hex() for value in (1.0, 9.99, 1234.5)]
    assert bits == ["0x1.62e42fefa39efp-1", "0x1.32d06dfe293b9p+1", "0x1.c7a17b2ab89e4p+2"]
