from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.errors import BadSetting, BadTraining
from schemas.features import FEATURES, RFM, Feature, beyond_default
from schemas.release.model_release import EncodedFeature, ModelRelease
from segue.config.command_line import BadUsage
from segue.config.settings import Settings
from segue.releases.training_settings import FitOptions, fit_settings, unused_features
from tests.support.worlds.made_up_release import a_release
from tests.support.worlds.trained_shops import a_shop, features_named
from trainer.fit import fit
from trainer.release.continuable import check_continues
from trainer.release.pipeline_numbers import release_of
from trainer.steps.fit_settings import FitSettings
from trainer.steps.presets import PRESETS
from trainer.steps.training_rows import select

DECLARE = {"total_spend": {"kind": "sum", "source": "order_value"}}
RECOMMENDED = FitSettings(
    preset="recommended", encoding="one-hot", rare=0.005, scaling="balanced", k=None, compare=True
)


def settings(**given: Any) -> Settings:
    return Settings.model_validate(given)


@pytest.fixture(scope="module")
def followed() -> ModelRelease:
    """Of the recommended preset, with three segments, of two features and without returns."""
    asked = FitSettings(
        preset="recommended",
        encoding="one-hot",
        rare=0.005,
        scaling="balanced",
        k=3,
        k_min=3,
        k_max=3,
        features=features_named("age", "gender"),
        exclude_statuses=("Returned",),
    )
    assert PRESETS["recommended"].scaling == "balanced"
    return release_of(fit(select(a_shop(), asked), asked), list("abc"))


@pytest.mark.parametrize(
    ("given", "options", "expected"),
    [
        ({}, FitOptions(), FitSettings(compare=True)),
        ({}, FitOptions(compare=False), FitSettings()),
        (
            {"preset": "article"},
            FitOptions("auto", "one-hot", 3, "none"),
            FitSettings(k=None, encoding="one-hot", components=3, scaling="none", compare=True),
        ),
        ({"preset": "recommended"}, FitOptions(), RECOMMENDED),
        (
            {"exclude_statuses": ["Returned"], "features": ["age"]},
            FitOptions("4"),
            FitSettings(k=4, exclude_statuses=("Returned",), features=features_named("age"), compare=True),
        ),
    ],
)
def test_a_first_training_has_what_is_set(
    given: dict[str, Any], options: FitOptions, expected: FitSettings
) -> None:
    assert fit_settings(settings(**given), options) == expected


def test_the_preset_rfm_brings_its_features() -> None:
    found = fit_settings(settings(preset="rfm"), FitOptions(compare=False))
    assert found == FitSettings(preset="rfm", k=None, features=RFM)
    more = settings(preset="rfm", features=["recency", "frequency", "monetary", "country"])
    assert fit_settings(more, FitOptions()).names == ("recency", "frequency", "monetary", "country")
    less = settings(preset="rfm", features=["recency", "country"])
    with pytest.raises(
        BadSetting, match="name recency, frequency, monetary, too, which the preset rfm needs"
    ):
        fit_settings(less, FitOptions())


def test_a_release_by_rfm_is_continued_with_the_preset_or_its_name_is_told() -> None:
    names = [feature.name for feature in RFM]
    numbers = a_release(declared=beyond_default(RFM))
    rfm = replace(
        numbers,
        features=tuple(EncodedFeature(name, "log") for name in names),
        mean=(1.0, 1.0, 1.0),
        scale=(0.5, 0.5, 0.5),
        projection_mean=(0.0, 0.0, 0.0),
        projection=((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
    )
    found = fit_settings(settings(preset="rfm"), FitOptions(), rfm)
    assert (found.preset, found.features, found.k) == ("rfm", RFM, None)
    check_continues(rfm, found)
    with pytest.raises(BadTraining, match="`declare` lacks: set the preset rfm to continue the release"):
        fit_settings(settings(), FitOptions(), rfm)
    # The article's release has other features: the preset asks for them.
    of_the_article = a_release()
    asked = fit_settings(settings(preset="rfm"), FitOptions(), of_the_article)
    with pytest.raises(
        BadTraining, match=r"cannot be continued with preset rfm: features is age, .*leave preset"
    ):
        check_continues(of_the_article, asked)


def test_who_named_k_is_kept(followed: ModelRelease) -> None:
    assert fit_settings(settings(), FitOptions()).k_by == "preset"
    assert fit_settings(settings(), FitOptions("5")).k_by == "setting"
    again = fit_settings(settings(), FitOptions(refit_space=True), followed)
    assert (again.k, again.k_by) == (3, "release")


def test_what_is_not_set_stays_as_the_release_has_it(followed: ModelRelease) -> None:
    found = fit_settings(settings(), FitOptions(), followed)
    assert (found.preset, found.encoding, found.scaling, found.rare) == (
        "recommended",
        "one-hot",
        "balanced",
        0.005,
    )
    assert found.names == ("age", "gender")
    assert (found.components, found.exclude_statuses) == (2, ("Returned",))
    assert found.k is None  # as many as there are


def test_what_is_set_wins(followed: ModelRelease) -> None:
    found = fit_settings(
        settings(preset="article", features=["age", "country"], exclude_statuses=[]),
        FitOptions(k="4", components=3),
        followed,
    )
    assert (found.preset, found.encoding, found.scaling) == ("article", "label", "standard")
    assert found.names == ("age", "country")
    assert (found.components, found.exclude_statuses, found.k) == (3, (), 4)


def test_the_same_preset_is_no_other_way(followed: ModelRelease) -> None:
    changed = replace(followed, projection=(*followed.projection, followed.projection[0]))
    found = fit_settings(settings(preset="recommended"), FitOptions(), changed)
    assert (found.preset, found.components, found.exclude_statuses) == ("recommended", 3, ("Returned",))


def test_a_refit_keeps_the_way_and_the_number_and_takes_all_features(followed: ModelRelease) -> None:
    refit = FitOptions(refit_space=True)
    found = fit_settings(settings(), refit, followed)
    assert (found.preset, found.k, found.exclude_statuses) == ("recommended", 3, ("Returned",))
    assert found.features == FEATURES
    article = fit_settings(settings(preset="article"), refit, followed)
    assert (article.preset, article.encoding, article.k) == ("article", "label", 5)
    assert fit_settings(settings(), FitOptions("auto", refit_space=True), followed).k is None


def test_a_feature_declared_since_is_told_and_not_taken(followed: ModelRelease) -> None:
    declaring = settings(declare=DECLARE)
    found = fit_settings(declaring, FitOptions(), followed)
    assert found.names == ("age", "gender")
    assert unused_features(declaring, found) == ["total_spend"]
    refit = fit_settings(declaring, FitOptions(refit_space=True), followed)
    assert refit.names[-1] == "total_spend"
    assert unused_features(declaring, refit) == []


def test_a_feature_that_is_no_longer_declared() -> None:
    release = a_release(declared=(Feature("total_spend", "sum", "order_value"),))
    with pytest.raises(
        BadTraining, match="takes total_spend = sum of order_value, which the setting `declare` lacks"
    ):
        fit_settings(settings(), FitOptions(), release)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"k": "0"}, "setting k is 0: use at least 2"),
        ({"k": "many"}, "option --k is 'many': give a whole number of at least 2, or auto"),
        ({"components": 0}, "setting components is 0"),
        ({"encoding": "hash"}, "setting encoding is 'hash': use one of label"),
        ({"scaling": "minmax"}, "setting scaling is 'minmax': use one of standard"),
    ],
)
def test_a_value_that_cannot_be_used(options: dict[str, Any], said: str) -> None:
    with pytest.raises((BadSetting, BadUsage), match=said):
        fit_settings(settings(), FitOptions(**options))


def test_what_is_wrong_is_told_before_anything_heavy_is_loaded() -> None:
    code = (
        "import sys; from segue.cli.main import run;"
        "codes = [run(['train', '--warehouse', '.', *wrong]) for wrong in ("
        "['--preset', 'best'], ['--k', '0'], ['--k', 'x'], ['--components', '0'], ['--encoding', 'hash'],"
        "['--features', 'height'], ['--as-of', 'nonsense'], ['--from', '2024-02-01', '--to', '2024-01-01'],"
        "['--out', '/proc/nowhere'], ['--current', 'nowhere'])];"
        "print(codes, sorted({'sklearn', 'pandas', 'duckdb', 'pyarrow', 'scipy', 'kneed'} & "
        "sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[2, 2, 2, 2, 2, 2, 2, 2, 2, 4] []"
    told = done.stderr.splitlines()
    assert len(told) == 10
    assert all(line.startswith("Error: ") for line in told)
