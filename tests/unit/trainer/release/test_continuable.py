from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from msgspec import UNSET
from msgspec.structs import replace as replaced

from schemas.errors import BadTraining
from schemas.features import FEATURES, Feature
from schemas.release.model_release import EncodedFeature, ModelRelease
from tests.support.worlds.made_up_release import RECENCY
from tests.support.worlds.trained_shops import a_shop, features_named
from trainer.fit import fit
from trainer.release.continuable import check_continues, differences, same_space, settings_of
from trainer.release.pipeline_numbers import release_of
from trainer.steps.fit_settings import FitSettings
from trainer.steps.presets import PRESETS
from trainer.steps.training_rows import select

QUICK = FitSettings(k_min=5, k_max=5)
BOTH_WAYS = (
    "or learn everything again with --refit-space; if it is the release of another shop, set another"
    " topic_prefix"
)
RECOMMENDED = replace(PRESETS["recommended"], k=5, k_min=5, k_max=5)


def release(settings: FitSettings) -> ModelRelease:
    return release_of(fit(select(a_shop(), settings), settings), list("abcdefghi")[: settings.k])


@pytest.fixture(scope="module")
def label() -> ModelRelease:
    return release(QUICK)


@pytest.fixture(scope="module")
def recommended() -> ModelRelease:
    return release(RECOMMENDED)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"features": features_named("age", "country")},
            (
                "with the setting features: features is age, gender, .* and age, country here; "
                "leave features out"
            ),
        ),
        (
            {"encoding": "one-hot"},
            (
                "with --encoding: the encoding of gender, country, traffic_source, most_frequent_brand, "
                "most_frequent_category is label there and one-hot here; leave encoding out to keep what the "
                "release has"
            ),
        ),
        (
            {"components": 3},
            "with --components: components is 2 there and 3 here; leave components out",
        ),
        ({"scaling": "none"}, "with --scaling: scaling is standard there and none here"),
        ({"exclude_statuses": ("Returned",)}, "exclude_statuses is none there and Returned here"),
    ],
)
def test_what_differs_and_both_ways_out(label: ModelRelease, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(BadTraining, match=f"release {label.version} .*{said}") as caught:
        check_continues(label, replace(QUICK, **changes))
    assert str(caught.value).endswith(BOTH_WAYS)


def test_a_preset_that_asks_for_it_is_named(label: ModelRelease, recommended: ModelRelease) -> None:
    with pytest.raises(BadTraining) as caught:
        check_continues(recommended, QUICK)
    assert str(caught.value) == (
        f"the current release {recommended.version} cannot be continued with preset article: the encoding of "
        "gender, country, traffic_source, most_frequent_brand, most_frequent_category is one-hot there and "
        "label here; scaling is balanced there and standard here; leave preset out to keep what the "
        f"release has, {BOTH_WAYS}"
    )
    with pytest.raises(BadTraining, match=r"with preset recommended: .* leave preset out"):
        check_continues(label, RECOMMENDED)


def test_a_declaration_that_changed_cannot_be_left_out(label: ModelRelease) -> None:
    total = Feature("total_spend", "sum", "order_value")
    there = replaced(label, declared=(total,))
    with pytest.raises(BadTraining, match="declare these features as the release has them, or learn"):
        check_continues(there, QUICK)


def test_another_time_zone_is_set_and_cannot_be_left_out(label: ModelRelease) -> None:
    ours = replace(QUICK, features=(*FEATURES, RECENCY))
    there = replaced(
        label,
        features=(*label.features, EncodedFeature("recency", "number")),
        declared=(RECENCY,),
        time_zone="Europe/Berlin",
    )
    check_continues(there, replace(ours, time_zone="Europe/Berlin"))
    check_continues(replaced(there, time_zone=UNSET), ours)
    with pytest.raises(BadTraining) as caught:
        check_continues(there, replace(ours, components=3))
    assert str(caught.value) == (
        f"the current release {label.version} cannot be continued with --components and the setting"
        " time_zone: components is 2 there and 3 here; time_zone is Europe/Berlin there and UTC here; leave"
        " components out to keep what the release has and set time_zone to Europe/Berlin, or learn everything"
        " again with --refit-space; if it is the release of another shop, set another topic_prefix"
    )


def test_a_number_is_read_as_it_is_declared(label: ModelRelease) -> None:
    there = replaced(label, features=(EncodedFeature("age", "log"), *label.features[1:]))
    with pytest.raises(BadTraining) as caught:
        check_continues(there, QUICK)
    assert str(caught.value) == (
        f"the current release {there.version} cannot be continued with the setting declare: the encoding of "
        "age is log there and number here; declare these features as the release has them, or learn "
        "everything again with --refit-space; if it is the release of another shop, set another topic_prefix"
    )
    as_there = replace(QUICK, features=(replaced(FEATURES[0], log=True), *FEATURES[1:]))
    check_continues(there, as_there)
    assert settings_of(there, as_there.features) == replace(as_there, k_min=2, k_max=10)


def test_groups_are_those_of_the_declaration(label: ModelRelease) -> None:
    groups = EncodedFeature("age", "quantile", quantile=5, borders=(30.0, 40.0))
    there = replaced(label, features=(groups, *label.features[1:]))

    def asked(quantile: int | None) -> FitSettings:
        return replace(QUICK, features=(replaced(FEATURES[0], quantile=quantile), *FEATURES[1:]))

    check_continues(there, asked(5))
    for quantile, here in ((4, "quantile = 4"), (None, "number")):
        with pytest.raises(BadTraining, match=f"of age is quantile = 5 there and {here} here; declare these"):
            check_continues(there, asked(quantile))
    assert settings_of(there, asked(5).features).encoding == "label"


def test_the_number_of_segments_is_no_difference(label: ModelRelease) -> None:
    for k in (None, 2, 9):
        check_continues(label, replace(QUICK, k=k))


@pytest.mark.parametrize(
    "settings",
    [
        QUICK,
        RECOMMENDED,
        replace(QUICK, encoding="frequency", components=3),
        replace(QUICK, encoding="one-hot"),
        replace(QUICK, encoding="label", scaling="balanced"),
        replace(QUICK, encoding="one-hot", scaling="none"),
        replace(QUICK, exclude_statuses=("Returned",), k=3),
        replace(QUICK, features=features_named("age", "gender")),
    ],
    ids=["label", "recommended", "frequency", "one-hot", "balanced", "none", "statuses", "features"],
)
def test_the_settings_are_found_again_in_the_numbers(settings: FitSettings) -> None:
    made = release(settings)
    found = settings_of(made, settings.features)
    assert replace(found, k_min=settings.k_min, k_max=settings.k_max) == settings
    assert list(differences(made, settings)) == []


def test_one_hot_scaled_in_another_way_is_another_space(recommended: ModelRelease) -> None:
    one_hot = release(replace(QUICK, encoding="one-hot"))
    assert same_space(recommended, RECOMMENDED, FEATURES)
    assert not same_space(one_hot, RECOMMENDED, FEATURES)
    assert not same_space(recommended, replace(QUICK, encoding="one-hot"), FEATURES)


def test_a_feature_with_an_encoding_of_its_own() -> None:
    """The other texts say how the rest was encoded."""
    own = tuple(
        replaced(feature, encoding="one-hot") if feature.name == "gender" else feature for feature in FEATURES
    )
    settings = replace(QUICK, features=own)
    made = release(settings)
    assert settings_of(made, own).encoding == "label"
    assert list(differences(made, settings)) == []
