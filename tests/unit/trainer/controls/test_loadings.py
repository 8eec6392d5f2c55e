from __future__ import annotations

import pytest

from schemas.release.model_release import EncodedFeature, ModelRelease, Training
from trainer.controls.loadings import ValueWeight, loadings


def release(*axes: tuple[float, ...]) -> ModelRelease:
    countries = tuple("fedcba")
    return ModelRelease(
        version="v",
        space="s",
        features=(EncodedFeature("age", "number"), EncodedFeature("country", "one-hot", countries)),
        mean=(),
        scale=(),
        projection_mean=(),
        projection=axes,
        segments=(),
        next_segment=0,
        training=Training(None, 0, 0, ""),
    )


def test_a_block_of_columns_is_one_feature() -> None:
    first = (0.6, 0.0, -0.8, 0.0, 0.0, 0.0, 0.0)
    second = (-0.8, 0.0, 0.6, 0.0, 0.0, 0.0, 0.0)
    (age, country), (age_2, country_2) = loadings(release(first, second))
    assert (age.share, country.share) == pytest.approx((0.36, 0.64))
    assert (age_2.share, country_2.share) == pytest.approx((0.64, 0.36))
    assert (age.weight, age_2.weight) == (0.6, -0.8)
    assert country.weight is None
    # The largest by its size, whatever its sign; then the smaller text.
    assert country.values[:3] == (ValueWeight("e", -0.8), ValueWeight("a", 0.0), ValueWeight("b", 0.0))
    assert len(country.values) == 5
    assert age.values == ()
