"""The margin with few flaps that most of the moving users still move with."""

from __future__ import annotations

import pytest

from segue.rehearsal.suggest_margin import MARGINS, MarginTrial, suggested


@pytest.mark.parametrize(
    ("flaps", "movers", "margin"),
    [
        ((10, 4, 1, 0), (100, 98, 95, 89), 0.1),  # 0.2 would keep 89 of 100
        ((10, 4, 1, 0), (100, 98, 95, 90), 0.2),
        ((10, 4, 4, 4), (100, 99, 98, 97), 0.05),  # equal flaps: the smaller margin
        ((0, 0, 0, 0), (100, 90, 80, 70), 0.0),
        ((10, 4, 1, 0), (100, 80, 70, 60), 0.0),
        ((0, 0, 0, 0), (0, 0, 0, 0), 0.0),
    ],
)
def test_the_suggested_margin(flaps: tuple[int, ...], movers: tuple[int, ...], margin: float) -> None:
    trials = [
        MarginTrial(one, flapping, flapping, moving)
        for one, flapping, moving in zip(MARGINS, flaps, movers, strict=True)
    ]
    assert suggested(trials).min_margin == margin
