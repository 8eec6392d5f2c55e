from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from schemas.features import FEATURES
from tests.support.worlds.trained_shops import a_shop, a_shop_of_kinds, features_named, features_table
from trainer.controls.encoding_picture import Users, has_arbitrary_codes, picture
from trainer.fit import fit
from trainer.steps.fit_settings import FitSettings
from trainer.steps.presets import PRESETS
from trainer.steps.training_rows import select

ALONE = FitSettings(k=3)


def users_of(table: pa.Table, settings: FitSettings = ALONE) -> Users:
    return Users.of(select(table, settings).rows, settings.features)


@pytest.mark.parametrize(
    "settings",
    [
        ALONE,
        replace(ALONE, encoding="frequency", components=3),
        replace(ALONE, encoding="one-hot"),
        replace(ALONE, encoding="one-hot", rare=0.3, scaling="balanced"),
        replace(ALONE, scaling="none"),
    ],
    ids=["label", "frequency", "one-hot", "balanced", "unscaled"],
)
def test_it_is_the_fits(settings: FitSettings) -> None:
    # No search: what is asked is the space.
    fitted = fit(select(a_shop(), settings), replace(settings, k_min=3, k_max=3))
    shown = picture(users_of(a_shop(), settings), settings)
    assert shown is not None
    projection = fitted.pipeline.named_steps["project"]
    assert shown.explained == pytest.approx(projection.explained_variance_ratio_, rel=1e-9)
    # An axis may point either way.
    assert np.abs(shown.components) == pytest.approx(np.abs(fitted.components), abs=1e-7)


def test_many_columns_too() -> None:
    rows: list[dict[str, object]] = [
        {"age": float(20 + place % 50), "most_frequent_brand": f"brand {place % 113}"} for place in range(400)
    ]
    settings = replace(ALONE, encoding="one-hot", features=features_named("age", "most_frequent_brand"))
    table = features_table(rows)
    shown = picture(users_of(table, settings), settings)
    assert shown is not None
    # By hand: age and the indicators, centred and divided by their deviations.
    ages = np.array([row["age"] for row in rows], dtype=float)
    columns = np.column_stack([ages, np.eye(113)[[place % 113 for place in range(400)]]])
    scaled = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    variances = np.linalg.svd(scaled, compute_uv=False) ** 2
    assert shown.explained == pytest.approx(variances[:2] / variances.sum(), rel=1e-6)


def test_shuffling_keeps_each_feature_and_parts_them() -> None:
    users = users_of(a_shop_of_kinds())
    shuffled = users.shuffled(np.random.default_rng(1))
    gender, category = 1, 6
    for before, after in zip(users.columns, shuffled.columns, strict=True):
        assert sorted(before.tolist()) == sorted(after.tolist())
        assert before.tolist() != after.tolist()
    assert shuffled.texts == users.texts
    pairs = set(zip(users.columns[gender].tolist(), users.columns[category].tolist(), strict=True))
    parted = set(zip(shuffled.columns[gender].tolist(), shuffled.columns[category].tolist(), strict=True))
    # Each category has one gender; shuffled, each has both.
    assert (len(pairs), len(parted)) == (6, 12)


def test_a_resample_says_who_is_in_it() -> None:
    users = users_of(a_shop())
    resample, places = users.resampled(np.random.default_rng(1))
    assert len(resample) == len(users) == len(places)
    assert len(set(places.tolist())) < len(users)
    for before, after in zip(users.columns, resample.columns, strict=True):
        assert after.tolist() == before[places].tolist()


def test_permuted_codes_are_another_picture_of_labels_alone() -> None:
    users = users_of(a_shop())
    for settings, differs in ((ALONE, True), (replace(ALONE, encoding="frequency"), False)):
        plain, permuted = picture(users, settings), picture(users, settings, np.random.default_rng(2))
        assert plain is not None
        assert permuted is not None
        assert (plain.components.tolist() != permuted.components.tolist()) == differs
        assert has_arbitrary_codes(users, settings) == differs


def test_what_never_varies_adds_nothing() -> None:
    same = users_of(
        features_table([{"age": float(age), "gender": "FM"[age % 2]} for age in range(20)]),
        replace(ALONE, features=features_named("age", "gender")),
    )
    # Ten of each: under frequency encoding one number.
    shown = picture(same, replace(ALONE, encoding="frequency", components=1, features=same.features))
    assert shown is not None
    assert shown.explained == pytest.approx([1.0])
    assert picture(same, replace(ALONE, encoding="frequency", components=2, features=same.features)) is None


def test_the_recommended_preset_shows_what_features_share() -> None:
    settings = replace(PRESETS["recommended"], features=FEATURES)
    real, shuffled = (
        picture(users, settings)
        for users in (
            users_of(a_shop_of_kinds()),
            users_of(a_shop_of_kinds()).shuffled(np.random.default_rng(3)),
        )
    )
    assert real is not None
    assert shuffled is not None
    assert real.explained.sum() > 1.5 * shuffled.explained.sum()
