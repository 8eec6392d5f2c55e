from __future__ import annotations

from math import log

import numpy as np
import pyarrow as pa
import pytest

from schemas.release.stability_index import BINS, REST, psi
from trainer.controls.drift import Bin, FeatureDrift, drift_of


def texts(**counts: int) -> pa.Table:
    return pa.table({"f": [value for value, count in counts.items() for _ in range(count)]})


def numbers(*values: float) -> pa.Table:
    return pa.table({"f": pa.array(values, pa.float64())})


def drift(before: pa.Table, now: pa.Table) -> FeatureDrift:
    (found,) = drift_of("v", before, now, ["f"]).features
    return found


def test_the_index_by_hand() -> None:
    # With half a user more in each bin: 10.5 and 10.5 of 21 then, 5.5 and 15.5 of 21 now.
    expected = (5.5 - 10.5) / 21 * log(5.5 / 10.5) + (15.5 - 10.5) / 21 * log(15.5 / 10.5)
    assert psi([10, 10], [5, 15]) == pytest.approx(expected)
    assert drift(texts(a=10, b=10), texts(a=5, b=15)).psi == pytest.approx(expected)
    assert psi([3, 7], [3, 7]) == 0.0


def test_values_are_told_by_their_users_in_both() -> None:
    found = drift(texts(b=1, a=1, c=2), texts(a=2, new=2))
    assert found.bins == (
        Bin("a", 0.25, 0.5),
        Bin("c", 0.5, 0.0),
        Bin("new", 0.0, 0.5),
        Bin("b", 0.25, 0.0),
    )


def test_many_values_are_pooled() -> None:
    many = texts(**{f"v{place:03}": 100 - place for place in range(60)})
    found = drift(many, many)
    assert len(found.bins) == BINS
    assert [each.value for each in found.bins] == [*(f"v{place:03}" for place in range(BINS - 1)), REST]
    # 41 values remain, with 81, 80 … 41 users of 100 + 99 + … + 41.
    assert (
        found.bins[-1].before == found.bins[-1].now == pytest.approx(sum(range(41, 82)) / sum(range(41, 101)))
    )
    twenty = texts(**{f"v{place:03}": 1 for place in range(20)})
    assert [each.value for each in drift(twenty, twenty).bins] == [f"v{place:03}" for place in range(20)]


def test_numbers_fall_into_ranges_of_equally_many_users() -> None:
    found = drift(numbers(*range(1, 41)), numbers(*range(41, 81)))
    assert len(found.bins) == BINS
    assert [found.bins[place].value for place in (0, 1, -1)] == ["up to 4", "above 4, up to 8", "above 76"]
    assert [each.before for each in found.bins] == [pytest.approx(0.1)] * 10 + [0.0] * 10
    assert [each.now for each in found.bins] == [0.0] * 10 + [pytest.approx(0.1)] * 10


def test_counts_are_ranges_of_their_own() -> None:
    found = drift(numbers(*[1] * 60, *[2] * 30, *[3] * 10), numbers(*[1] * 30, *[2] * 60, *[9] * 10))
    # Of 200 numbers the 190th and last within a range is a 3; the 9s lie above it.
    assert [(each.value, each.before, each.now) for each in found.bins] == [
        ("up to 1", 0.6, 0.3),
        ("above 1, up to 2", 0.3, 0.6),
        ("above 2, up to 3", 0.1, 0.0),
        ("above 3", 0.0, 0.1),
    ]


def test_a_number_that_never_varies() -> None:
    assert drift(numbers(1, 1), numbers(1, 1)).bins == (Bin("any", 1.0, 1.0),)


def test_a_random_half_is_no_drift_and_a_real_one_is() -> None:
    rng = np.random.default_rng(7)
    brands = rng.choice([f"brand {place}" for place in range(500)], 2_000)
    halves = [pa.table({"f": half}) for half in (brands[:1_000], brands[1_000:])]
    assert not drift(*halves).drifted
    ages = rng.normal(40, 10, 4_000)
    assert not drift(numbers(*ages[:2_000]), numbers(*ages[2_000:])).drifted
    assert drift(numbers(*ages[:2_000]), numbers(*(ages[2_000:] + 5))).drifted


def test_few_users_differ_by_chance_and_the_threshold_says_so() -> None:
    few = drift(texts(a=5, b=5, c=5), texts(a=8, b=4, c=3))
    assert few.psi > 0.1
    assert few.threshold == few.chance > few.psi
    assert not few.drifted
    many = drift(texts(a=5_000, b=5_000, c=5_000), texts(a=8_000, b=4_000, c=3_000))
    assert many.chance < 0.01
    assert (many.threshold, many.drifted) == (0.1, True)


def test_the_same_data_gives_the_same_figures() -> None:
    assert drift(texts(a=50, b=30), texts(a=40, b=40)) == drift(texts(b=30, a=50), texts(b=40, a=40))
