from __future__ import annotations

from math import nan

import pytest

from trainer.report.charts.html import money, number, quantity


@pytest.mark.parametrize(
    ("figure", "form", "told"),
    [
        (-0.5, ".3f", "−0.500"),
        (999_999_999_999_999.0, ",.0f", "999,999,999,999,999"),
        (2.4338891524382e33, ",.1f", "2.43e+33"),
        (-1e15, ",.0f", "−1.00e+15"),
        (nan, ".3f", "–"),
        (None, ".3f", "–"),
    ],
)
def test_a_number_takes_little_room(figure: float | None, form: str, told: str) -> None:
    assert number(figure, form) == told


@pytest.mark.parametrize(
    ("figure", "told"),
    [
        (1_234_567.8, "1,234,568"),
        (-1_000.4, "−1,000"),
        (999.96, "1,000"),
        (45.54, "45.5"),
        (40.0, "40"),
        (1.536, "1.54"),
        (1.0, "1"),
        (0.0, "0"),
        (0.01234, "0.0123"),
        (100.0, "100"),
        (1e16, "1.00e+16"),
        (2e20, "2.00e+20"),
        (nan, "–"),
    ],
)
def test_a_quantity_has_thousands_separators_and_few_digits(figure: float, told: str) -> None:
    assert quantity(figure) == told


def test_an_amount_stands_after_its_currency() -> None:
    space = "\N{NO-BREAK SPACE}"
    assert money(1_234.5, "EUR") == quantity(1_234.5, "EUR") == f"EUR{space}1,234.50"
    assert money(-3.5, "kr.") == "kr.−3.50"
    assert money(3.5, "$") == "$3.50"
    assert money(1_234_567.8) == "1,234,568"
    assert money(None, "EUR") == f"EUR{space}–"
