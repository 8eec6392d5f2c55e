from __future__ import annotations

import numpy as np

from trainer.release.impact import Metric, Moves, Pair, metrics, moves


def test_who_goes_where_by_pair_most_users_first() -> None:
    before = np.array([0, 0, 0, 1, 1, 2, 2, 2])
    after = np.array([0, 1, 1, 0, 1, 7, 2, 2])
    assert moves(before, after) == Moves(8, (Pair(0, 1, 2), Pair(1, 0, 1), Pair(2, 7, 1)))
    assert moves(before, after).moved == 4
    assert moves(before, after).share == 0.5


def test_nobody_moves_and_nobody_is_there() -> None:
    some = np.array([3, 4])
    assert moves(some, some) == Moves(2, ())
    nobody = np.array([], dtype=np.int64)
    assert moves(nobody, nobody) == Moves(0, ())
    assert moves(nobody, nobody).share == 0.0


def test_figures_that_only_one_has() -> None:
    assert list(metrics({"sse": 2.0, "old": 1.0}, {"sse": 3.0, "new": 4.0})) == [
        Metric("new", None, 4.0),
        Metric("old", 1.0, None),
        Metric("sse", 2.0, 3.0),
    ]
