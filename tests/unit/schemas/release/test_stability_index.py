from math import log

import pytest

from schemas.release.stability_index import SAMPLE, chance_of, psi, threshold_of


def test_the_index_by_hand() -> None:
    p, q = (10.5 / 21, 10.5 / 21), (5.5 / 21, 15.5 / 21)
    expected = sum((b - a) * log(b / a) for a, b in zip(p, q, strict=True))
    assert psi([10, 10], [5, 15]) == pytest.approx(expected)
    assert psi([0, 10], [10, 0]) > 2


def test_fewer_users_have_a_higher_index_by_chance() -> None:
    assert chance_of(0.02, SAMPLE, 20_000) == 0.02
    assert chance_of(0.02, 100, SAMPLE) == pytest.approx(0.02 * (1 / 100 + 1 / SAMPLE) / (2 / SAMPLE))


def test_a_small_index_is_no_drift_however_sure() -> None:
    assert (threshold_of(0.001), threshold_of(0.3)) == (0.1, 0.3)
