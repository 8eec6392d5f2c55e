from __future__ import annotations

import numpy as np
import pytest

from schemas.features import FEATURES
from tests.support.worlds.trained_shops import features_table
from trainer.controls.affinity import Affinity, affinity_of, similar_to

TEXTS = tuple(feature for feature in FEATURES if feature.name in ("age", "country", "gender"))


def by_hand(components: np.ndarray, place: int, count: int) -> list[int]:
    """Every cosine, then sorted; rounded, so that equal directions are equal."""
    norms = np.linalg.norm(components, axis=1)
    found = []
    for other, norm in enumerate(norms):
        if other != place and norm > 0:
            cosine = components[other] @ components[place] / norm / norms[place]
            found.append((-round(float(cosine), 9), other))
    return [other for _, other in sorted(found)[:count]]


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_the_nearest_by_cosine(dimensions: int) -> None:
    rng = np.random.default_rng(dimensions)
    components = rng.normal(size=(60, dimensions))
    components[7] = 0.0
    components[20:26] = components[3] * 2  # one direction, many users
    chosen = np.array([place for place in range(60) if place != 7])
    found = similar_to(components, chosen, 5)
    for row, place in zip(found.tolist(), chosen, strict=True):
        assert row == by_hand(components, place, 5)


def test_angles_wrap_around() -> None:
    degrees = np.radians([179.0, -179.0, 178.0, -170.0, 0.0, 90.0, -90.0])
    components = np.column_stack([np.cos(degrees), np.sin(degrees)])
    assert similar_to(components, np.array([0]), 3).tolist() == [[2, 1, 3]]


def compared(rows: list[dict[str, object]], components: np.ndarray, labels: list[int]) -> Affinity:
    found = affinity_of(features_table(rows), components, np.array(labels, dtype=np.int32), TEXTS)
    assert found is not None
    return found


def test_similar_beside_random_users() -> None:
    # Four directions; a country has one, a segment two, a gender is nowhere.
    rng = np.random.default_rng(3)
    directions = rng.integers(0, 4, 400)
    angles = directions * np.pi / 2 + rng.normal(0, 0.01, 400)
    components = np.column_stack([np.cos(angles), np.sin(angles)])
    rows: list[dict[str, object]] = [
        {"country": "abcd"[direction], "gender": str(rng.choice(["F", "M"]))} for direction in directions
    ]
    told = compared(rows, components, (directions // 2).tolist())
    assert told.users == 400
    gender, country = told.features
    assert (gender.feature, country.feature) == ("gender", "country")
    assert country.similar == 1.0
    assert country.segment == pytest.approx(1 / 2, abs=0.04)
    assert country.everybody == pytest.approx(1 / 4, abs=0.04)
    assert country.difference == pytest.approx(country.similar - country.segment)
    assert country.margin < 0.05
    for share in (gender.similar, gender.segment, gender.everybody):
        assert share == pytest.approx(1 / 2, abs=0.05)
    assert abs(gender.difference) < 2 * gender.margin


def test_too_few_for_five_others() -> None:
    rows: list[dict[str, object]] = [{"age": float(age)} for age in range(5)]
    components = np.ones((5, 2))
    assert affinity_of(features_table(rows), components, np.zeros(5, dtype=np.int32), TEXTS) is None


def test_nobody_is_compared_with_oneself() -> None:
    # Six to a segment, so that the five others are the only choice; no two users share a country.
    rng = np.random.default_rng(4)
    rows: list[dict[str, object]] = [{"country": f"c{place}"} for place in range(60)]
    told = compared(rows, rng.normal(size=(60, 2)), [place % 10 for place in range(60)])
    (country,) = [each for each in told.features if each.feature == "country"]
    assert (country.similar, country.segment, country.everybody) == (0, 0, 0)
