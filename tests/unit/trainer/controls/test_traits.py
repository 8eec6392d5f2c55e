from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from schemas.features import FEATURES, Feature
from tests.support.worlds.trained_shops import features_table
from trainer.controls.traits import Trait, Traits, traits_of

FEATURE = {feature.name: feature for feature in FEATURES}


def traits(rows: list[dict[str, object]], labels: list[int], *names: str) -> Traits:
    features: list[Feature] = [FEATURE[name] for name in names]
    return traits_of(features_table(rows), np.array(labels, dtype=np.int32), features)


def found(traits: tuple[Trait, ...], value: str | None) -> Trait:
    return next(trait for trait in traits if trait.value == value)


def test_a_value_by_hand() -> None:
    # 40 users, 8 from Spain: 6 of segment 0's 10, 2 of segment 1's 30.
    countries = ["Spain"] * 6 + ["China"] * 4 + ["Spain"] * 2 + ["China"] * 28
    rows: list[dict[str, object]] = [{"country": country} for country in countries]
    told = traits(rows, [0] * 10 + [1] * 30, "country")
    spain = found(told.segments[0], "Spain")
    assert (spain.here, spain.everywhere, spain.lift) == pytest.approx((0.6, 0.2, 3.0))
    # 0.4 over sqrt(0.2 * 0.8) = 0.4.
    assert spain.effect == pytest.approx(1.0)
    # Hypergeometric: 10 of 40 drawn, 8 marked: mean 2, variance 10 * 0.2 * 0.8 * 30 / 39.
    assert spain.z == pytest.approx((6 - 2) / np.sqrt(10 * 0.2 * 0.8 * 30 / 39))
    # Only 2 users were to be expected there: too few for a normal distribution.
    assert not spain.clear
    # Nothing is told of what is rarer than everywhere.
    assert [trait.value for trait in told.segments[0]] == ["Spain"]
    assert [trait.value for trait in told.segments[1]] == ["China"]


def test_a_number_against_segments_dealt_at_random() -> None:
    ages = [20.0] * 10 + [30.0] * 20 + [60.0] * 10
    labels = [0] * 20 + [1] * 20
    told = traits([{"age": age} for age in ages], labels, "age")
    older = found(told.segments[1], None)
    assert (older.here, older.everywhere) == (45.0, 35.0)
    assert older.effect == pytest.approx(10 / np.std(ages))
    # Means of 20 users drawn without replacement, simulated.
    rng = np.random.default_rng(1)
    means = [rng.permutation(ages)[:20].mean() for _ in range(20_000)]
    assert older.z == pytest.approx((45 - 35) / np.std(means), rel=0.03)
    assert older.clear


def test_a_logarithm_decides_the_effect_and_people_see_medians() -> None:
    # One huge spender in segment 0: its raw mean is above segment 1's, but typical users spend less there.
    spend = [0.0, 0.0, 0.0, math.e**9 - 1, math.e**3 - 1, math.e**3 - 1, math.e**3 - 1, math.e**3 - 1]
    table = features_table([{"age": amount} for amount in spend])
    feature = Feature("age", "attribute", "age", log=True)
    told = traits_of(table, np.array([0] * 4 + [1] * 4, dtype=np.int32), [feature])
    low, high = found(told.segments[0], None), found(told.segments[1], None)
    # What the model reads: 0, 0, 0, 9 and four times 3. Means 2.25, 3 and 2.625; mean square (81 + 36) / 8.
    deviation = (117 / 8 - 2.625**2) ** 0.5
    assert (low.effect, high.effect) == pytest.approx((-0.375 / deviation, 0.375 / deviation))
    assert (low.here, high.here) == pytest.approx((0.0, math.e**3 - 1))
    assert low.everywhere == pytest.approx(math.e**3 - 1)  # the middle two of eight are both that


def test_a_group_decides_the_effect_and_people_see_medians() -> None:
    ages = [1.0, 2.0, 3.0, 1_000_000.0]
    feature = Feature("age", "attribute", "age", quantile=2)
    table = features_table([{"age": age} for age in ages])
    told = traits_of(table, np.array([0, 0, 1, 1], dtype=np.int32), [feature])
    older = found(told.segments[1], None)
    # Groups 1, 1, 2, 2: means 1.5 of all, 2 here, deviation 0.5.
    assert (older.effect, older.here, older.everywhere) == (1.0, 500_001.5, 2.5)


def test_the_threshold_grows_with_what_is_compared() -> None:
    rows: list[dict[str, object]] = [
        {"age": float(place), "country": "Spain" if place % 2 else "China"} for place in range(40)
    ]
    labels = [0] * 20 + [1] * 20
    # Two segments: one number, then two values each, all with ten users or more to be expected.
    for names, comparisons in ((("age",), 2), (("age", "country"), 6)):
        told = traits(rows, labels, *names)
        assert told.comparisons == comparisons
        assert 2 * comparisons * norm.sf(told.threshold) == pytest.approx(0.05)


def test_chance_is_seldom_clear() -> None:
    """Segments dealt at random: any trait is clear in about one report of twenty, so in about 3 of 60."""
    rng = np.random.default_rng(7)
    rows: list[dict[str, object]] = [
        {"age": float(rng.integers(12, 71)), "country": str(rng.choice(["a", "b", "c", "d"]))}
        for _ in range(600)
    ]
    alarms = 0
    for _ in range(60):
        told = traits(rows, rng.integers(0, 3, 600).tolist(), "age", "country")
        alarms += any(trait.clear for segment in told.segments for trait in segment)
    assert alarms <= 9


def test_the_strongest_first_and_of_equal_ones_the_smaller_text() -> None:
    rows: list[dict[str, object]] = [{"country": "b", "age": 20.0}, {"country": "a", "age": 21.0}] * 5
    rows += [{"country": "c", "age": 30.0}] * 10
    told = traits(rows, [0] * 10 + [1] * 10, "country", "age")
    assert [trait.value for trait in told.segments[0]] == [None, "a", "b"]


def test_the_profile_has_every_segment_side_by_side() -> None:
    rows: list[dict[str, object]] = [{"age": 20.0, "country": "a"}] * 4 + [{"age": 40.0, "country": "b"}] * 2
    rows += [{"age": 40.0, "country": "a"}] * 2
    told = traits(rows, [0] * 4 + [1] * 4, "country", "age")
    country, other, age = told.profile
    assert (country.feature, country.value, other.value, age.value) == ("country", "a", "b", None)
    # Of "a": 1 and 0.5 of the segments, 0.75 of all, a deviation of sqrt(0.75 * 0.25).
    assert country.effects == pytest.approx((0.25 / 0.1875**0.5, -0.25 / 0.1875**0.5))
    assert other.effects == pytest.approx((-0.25 / 0.1875**0.5, 0.25 / 0.1875**0.5))
    assert age.effects == pytest.approx((-1.0, 1.0))
