from __future__ import annotations

from math import nan

import pytest

from trainer.report.charts.html import number


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
