from __future__ import annotations

import numpy as np
import pytest

from trainer.report.scatter import apart


@pytest.mark.parametrize("count", [2, 5, 12])
def test_marks_at_one_place_are_pushed_apart(count: int) -> None:
    moved = apart(np.full((count, 2), 100.0), 22)
    for one in range(count):
        for other in range(one):
            assert np.hypot(*(moved[one] - moved[other])) >= 22


def test_marks_that_are_apart_stay() -> None:
    points = np.array([[0.0, 0.0], [30.0, 0.0]])
    assert apart(points, 22).tolist() == points.tolist()
