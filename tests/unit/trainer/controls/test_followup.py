from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime

import numpy as np
import pytest

from trainer.controls.followup import eta_squared, followup_of

T = datetime(2024, 10, 1, tzinfo=UTC)
END = datetime(2024, 12, 30, tzinfo=UTC)


def test_eta_squared_by_hand() -> None:
    labels = np.array([0, 0, 1, 1], dtype=np.int32)
    # Mean 4: between 2 * (2 - 4)^2 + 2 * (6 - 4)^2 = 16; total 9 + 1 + 1 + 9 = 20.
    assert eta_squared(labels, np.array([1.0, 3.0, 5.0, 7.0])) == pytest.approx(16 / 20)
    assert eta_squared(labels, np.array([1.0, 3.0, 1.0, 3.0])) == 0
    assert eta_squared(labels, np.array([2.0, 2.0, 2.0, 2.0])) == 0
    # A segment that nobody is in changes nothing.
    assert eta_squared(labels * 3, np.array([1.0, 3.0, 5.0, 7.0])) == pytest.approx(16 / 20)


def test_what_each_segment_did() -> None:
    labels = np.array([0, 0, 0, 0, 2, 2], dtype=np.int32)
    told = followup_of(
        T, END, labels, np.array([0.0, 0, 1, 3, 1, 1]), np.array([0.0, 0, 10.0, 50.0, 7.0, 7.0])
    )
    first, last = told.segments
    assert (first.segment, first.users, first.repeat_rate, first.orders, first.spend) == (
        0,
        4,
        0.5,
        1.0,
        15.0,
    )
    # Deviation of 0, 0, 10, 50 around 15: sqrt((225 + 225 + 25 + 1225) / 3), over 2.
    assert first.spend_margin == pytest.approx(1.96 * np.sqrt(1700 / 3) / 2)
    assert (last.segment, last.users, last.repeat_rate, last.spend_margin) == (2, 2, 1.0, 0.0)
    assert [outcome.outcome for outcome in told.outcomes] == ["repeat", "orders", "spend"]


def test_segments_that_tell_and_segments_that_do_not() -> None:
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 5, 2_000).astype(np.int32)
    noise = rng.poisson(1.0, 2_000).astype(np.float64)
    (_, nothing) = followup_of(T, END, labels, noise, None).outcomes
    # By chance between + within = k - 1 of n - 1 degrees of freedom.
    assert nothing.shuffled == pytest.approx(4 / 1_999, rel=0.2)
    assert nothing.by_chance
    (_, orders) = followup_of(T, END, labels, noise + labels, None).outcomes
    assert not orders.by_chance
    # Variance of 0..4 is 2, of the noise 1.
    assert orders.eta_squared == pytest.approx(2 / 3, abs=0.03)


def test_a_shop_without_prices() -> None:
    told = followup_of(T, END, np.array([0, 1], dtype=np.int32), np.array([1.0, 0.0]), None)
    assert [segment.spend for segment in told.segments] == [None, None]
    assert [outcome.outcome for outcome in told.outcomes] == ["repeat", "orders"]


def test_the_same_digits_whatever_the_number_of_threads() -> None:
    code = (
        "from datetime import UTC, datetime; import numpy as np;"
        "from trainer.controls.followup import followup_of;"
        "rng = np.random.default_rng(1); T = datetime(2024, 10, 1, tzinfo=UTC);"
        "print(repr(followup_of(T, T, rng.integers(0, 5, 40_000), rng.poisson(1.0, 40_000) * 1.1, "
        "rng.random(40_000))))"
    )
    told = []
    for threads in ("1", "4"):
        variables = {**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
        run = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, check=True)
        told.append(run.stdout)
    assert told[0] == told[1]
