from __future__ import annotations

import numpy as np
import pytest

from trainer.report.scatter import LEAST_POINTS, POINTS, apart, stratified


def test_every_segment_in_proportion_and_a_small_one_more() -> None:
    labels = np.repeat([0, 1, 2, 3], [60_000, 29_000, 1_000, 40]).astype(np.int32)
    drawn = stratified(labels)
    assert sorted(set(drawn.tolist())) == drawn.tolist()
    counts = np.bincount(labels[drawn])
    # 3,000 of 90,040: 1,999, 966 and 33, which is fewer than are seen; and all 40 of the last.
    assert counts.tolist() == [1_999, 966, LEAST_POINTS, 40]
    assert stratified(labels).tolist() == drawn.tolist()


def test_few_users_are_all_drawn() -> None:
    assert stratified(np.zeros(POINTS, dtype=np.int32)).tolist() == list(range(POINTS))


@pytest.mark.parametrize("count", [2, 5, 12])
def test_marks_at_one_place_are_pushed_apart(count: int) -> None:
    moved = apart(np.full((count, 2), 100.0), 22)
    for one in range(count):
        for other in range(one):
            assert np.hypot(*(moved[one] - moved[other])) >= 22


def test_marks_that_are_apart_stay() -> None:
    points = np.array([[0.0, 0.0], [30.0, 0.0]])
    assert apart(points, 22).tolist() == points.tolist()
