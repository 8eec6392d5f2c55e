from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import pyarrow as pa
import pytest
from threadpoolctl import threadpool_limits

from tests.support.worlds.trained_shops import a_shop, a_shop_of_kinds, features_named, features_table
from trainer.controls import compare_encodings as compare_module
from trainer.controls.compare_encodings import Comparison, EncodingControl, compare, gain_of, verdict_of
from trainer.controls.encoding_picture import Users
from trainer.steps.fit_settings import FitSettings
from trainer.steps.presets import PRESETS
from trainer.steps.training_rows import select


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As `fit` calls it; on a busy machine threads wait for one another."""
    with threadpool_limits(1):
        yield


def compared(table: pa.Table, settings: FitSettings, k: int = 3) -> Comparison:
    with threadpool_limits(1):
        return compare(select(table, settings).rows, settings, k)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few resamples and halves, where their number shows nothing."""
    for name, number in (("RESAMPLES", 2), ("PERMUTATIONS", 2), ("HALVES", 4)):
        monkeypatch.setattr(compare_module, name, number)


@cache
def of_kinds() -> Comparison:
    return compared(a_shop_of_kinds(), FitSettings(compare=True))


@cache
def of_noise() -> Comparison:
    return compared(a_shop(700), FitSettings(compare=True))


def named(comparison: Comparison, encoding: str) -> EncodingControl:
    return next(control for control in comparison.encodings if control.encoding == encoding)


def test_where_features_have_to_do_with_one_another_the_recommended_preset_is_offered() -> None:
    found = of_kinds().recommended
    assert found is not None
    assert found == of_kinds().encodings[-1]
    assert (found.encoding, found.k) == ("recommended", 3)
    # Brand, category and (two of three) gender tell the three kinds: they lie far apart.
    assert found.verdict == "clearer"
    assert found.gain > 0.3
    assert found.bootstrap_ari > 0.95
    assert found.permuted_codes_ari is None


def test_where_they_have_not_nothing_is_offered() -> None:
    assert of_noise().recommended is None
    control = named(of_noise(), "recommended")
    assert control.verdict != "clearer" or control.bootstrap_ari < 0.8


def test_every_encoding_has_its_row_and_the_fit_has_one() -> None:
    names = [control.encoding for control in of_kinds().encodings]
    assert names == ["label", "frequency", "one-hot", "recommended"]
    assert of_kinds().used == named(of_kinds(), "label")
    assert of_kinds().users == 600
    assert all(len(control.explained_variance) == 2 for control in of_kinds().encodings)
    assert [control.k for control in of_kinds().encodings[:3]] == [3, 3, 3]


def test_only_label_codes_are_permuted_and_the_segments_hang_on_them() -> None:
    permuted = {control.encoding: control.permuted_codes_ari for control in of_noise().encodings}
    assert permuted["label"] is not None
    assert permuted["label"] < 0.5
    assert (permuted["frequency"], permuted["one-hot"], permuted["recommended"]) == (None, None, None)


def test_the_verdict_is_what_the_gain_and_its_margin_say() -> None:
    for control in (*of_kinds().encodings, *of_noise().encodings):
        assert control.verdict == verdict_of(control.gain, control.margin)
        assert control.margin > 0


@pytest.mark.parametrize(
    ("gain", "verdict"),
    [(0.06, "clearer"), (0.05, "no clear difference"), (-0.05, "no clear difference"), (-0.06, "less clear")],
)
def test_a_gain_within_its_margin_is_no_clear_difference(gain: float, verdict: str) -> None:
    assert verdict_of(gain, 0.05) == verdict


def test_the_verdict_is_the_same_whichever_users_are_drawn() -> None:
    """Independent ages and orders: by accident the third draw lies above 19 of 19 shuffles."""
    settings = FitSettings(k=3, features=features_named("age", "total_orders"))
    for seed in range(4):
        drawn = np.random.default_rng(seed).normal(size=(300, 2))
        rows = [{"age": 40.0 + 10 * x, "total_orders": 1_000 + round(200 * y)} for x, y in drawn]
        users = Users.of(select(features_table(rows), settings).rows, settings.features)
        found = gain_of(users, settings, 3, np.random.default_rng(1))
        assert found is not None
        assert verdict_of(*found) == "no clear difference"


def test_two_blobs_of_numbers_beat_the_shuffles_and_one_cloud_does_not() -> None:
    rng = np.random.default_rng(1)
    side = rng.integers(0, 2, 300)
    settings = FitSettings(k=2, features=features_named("age", "total_orders"))
    blobs = [
        {"age": 20.0 + 40 * s + x, "total_orders": int(2 + 30 * s + y)}
        for s, x, y in zip(side, rng.uniform(0, 5, 300), rng.integers(0, 5, 300), strict=True)
    ]
    cloud = [{"age": float(x), "total_orders": int(y)} for x, y in rng.integers(1, 100, (300, 2))]
    for rows, clearer in ((blobs, True), (cloud, False)):
        users = Users.of(select(features_table(rows), settings).rows, settings.features)
        found = gain_of(users, settings, 2, np.random.default_rng(1))
        assert found is not None
        assert (verdict_of(*found) == "clearer") is clearer


@pytest.mark.usefixtures("few")
def test_settings_that_are_no_ones_have_a_row_of_their_own() -> None:
    settings = FitSettings(compare=True, encoding="one-hot", rare=0.1)
    comparison = compared(a_shop_of_kinds(200), settings)
    assert [control.encoding for control in comparison.encodings][3:] == ["as set", "recommended"]
    assert comparison.used == comparison.encodings[3]


@pytest.mark.usefixtures("few")
def test_the_recommended_preset_in_use_is_that_row_with_the_fits_k() -> None:
    comparison = compared(a_shop_of_kinds(200), replace(PRESETS["recommended"], compare=True), 4)
    assert comparison.used == comparison.encodings[3]
    assert comparison.used is not None
    assert (comparison.used.encoding, comparison.used.k) == ("recommended", 4)


@pytest.mark.usefixtures("few")
def test_the_same_users_have_the_same_controls() -> None:
    settings = FitSettings(compare=True, encoding="frequency")
    assert compared(a_shop(150), settings) == compared(a_shop(150), settings)


@pytest.mark.usefixtures("few")
def test_of_many_users_a_sample_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare_module, "USERS", 150)
    assert compared(a_shop_of_kinds(300), FitSettings(compare=True)).users == 150


def test_too_few_users_are_not_compared() -> None:
    comparison = compared(a_shop_of_kinds(99), FitSettings(compare=True))
    assert comparison == Comparison(encodings=(), used=None, recommended=None, users=99)


def test_a_comparison_that_nobody_asked_for() -> None:
    comparison = compared(a_shop_of_kinds(), FitSettings())
    assert comparison == Comparison(encodings=(), used=None, recommended=None, users=0)
