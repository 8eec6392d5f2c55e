from typing import Any

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from schemas.errors import BadRelease
from schemas.features import FEATURES, Feature
from schemas.release.model_release import EncodedFeature, FeatureProfile, ModelRelease, Segment, space_of
from schemas.release.release_checks import check_declared, check_features, check_names, check_shapes
from tests.support.worlds.made_up_release import a_release

NUMBER = EncodedFeature("age", "number")
LABEL = EncodedFeature("gender", "label", ("F", "M"), (0.0, 1.0))


def _with_feature(feature: EncodedFeature) -> ModelRelease:
    release = a_release()
    return replace(release, features=(feature, *release.features[1:]))


def test_a_right_release_passes() -> None:
    for check in (check_names, check_features, check_shapes):
        check(a_release())


@pytest.mark.parametrize(
    ("feature", "problem"),
    [
        (replace(NUMBER, name="shoe_size"), r"features\[shoe_size\] is none of the features age, gender"),
        (
            replace(NUMBER, encoding="label"),
            r"features\[age\]\.encoding is label, but the feature is a number",
        ),
        (EncodedFeature("gender", "log"), "encoding is log, but the feature is a category"),
        (EncodedFeature("gender", "number"), "encoding is number, but the feature is a category"),
    ],
)
def test_a_feature_that_cannot_be_computed(feature: EncodedFeature, problem: str) -> None:
    with pytest.raises(BadRelease, match=problem):
        check_features(_with_feature(feature))


@pytest.mark.parametrize(
    ("feature", "problem"),
    [
        (replace(NUMBER, categories=("F",)), r"features\[age\]\.categories must be empty"),
        (replace(NUMBER, codes=(1.0,)), "codes has 1 numbers, but should have 0"),
        (replace(LABEL, categories=()), r"features\[gender\]\.categories is empty"),
        (replace(LABEL, categories=("F", "F")), "categories has a duplicate"),
        (replace(LABEL, codes=(0.0,)), "codes has 1 numbers, but should have 2, by its encoding label"),
        (replace(LABEL, encoding="one-hot", codes=(0.0,)), "codes has 1 numbers, but should have 2, by its"),
        (replace(LABEL, encoding="one-hot", codes=(0.0, 2.0)), "codes must be columns, numbered from 0"),
        (replace(LABEL, encoding="one-hot", codes=(0.5, 0.0)), "codes must be columns, numbered from 0"),
        (replace(LABEL, encoding="one-hot", codes=(-1.0, 0.0)), "codes must be columns, numbered from 0"),
        (replace(LABEL, codes=(0.0, float("nan"))), "codes holds nan, which is no finite number"),
        (replace(LABEL, codes=(0.0, 1e51)), r"codes holds 1e\+51, which is beyond 1e\+50"),
    ],
)
def test_codes_that_do_not_fit_their_encoding(feature: EncodedFeature, problem: str) -> None:
    with pytest.raises(BadRelease, match=problem):
        check_shapes(_with_feature(feature))


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"features": ()}, "features names no feature"),
        ({"profile": (FeatureProfile("shoe_size", (1,), 0.1),)}, r"profile\[shoe_size\] is of no feature"),
        ({"profile": (FeatureProfile("age", (1, 2), 0.1),)}, r"profile\[age\].counts has 2 bins"),
        ({"profile": (FeatureProfile("age", (0,), 0.1),)}, r"profile\[age\].counts has no users"),
        ({"mean": (1.0,)}, "mean has 1 numbers, but should have 9, one a column"),
        ({"scale": (0.0,) * 9}, r"scale holds 0\.0, but a scale is at least 1e-50"),
        ({"scale": (-1.0,) * 9}, r"scale holds -1\.0"),
        ({"scale": (float("inf"),) * 9}, "scale holds inf, which is no finite number"),
        ({"scale": (1e-308,) * 9}, r"scale holds 1e-308, but a scale is at least 1e-50"),
        ({"scale": (1e51,) * 9}, r"scale holds 1e\+51, which is beyond 1e\+50"),
        ({"mean": (-1e51,) * 9}, r"mean holds -1e\+51, which is beyond"),
        ({"projection": ((1.0,) * 9, (*(1.0,) * 8, 1e200))}, r"projection holds 1e\+200, which is beyond"),
        ({"projection_mean": (1e51,) * 9}, r"projection_mean holds 1e\+51, which is beyond"),
        (
            {"segments": (Segment(0, "a", (0.0, 1e154), 1),)},
            r"segments\[id=0\]\.centre holds 1e\+154, which is",
        ),
        ({"projection_mean": ()}, "projection_mean has 0 numbers"),
        ({"projection": ()}, "projection has no component"),
        ({"projection": ((1.0,) * 9, (1.0,) * 8)}, "projection has 8 numbers"),
        ({"segments": ()}, "segments names no segment"),
        ({"segments": (Segment(0, "a", (1.0,), 1),)}, r"segments\[id=0\]\.centre has 1 numbers"),
        ({"segments": (Segment(-1, "a", (1.0, 1.0), 1),)}, r"segments\[id=-1\]\.id is below 0"),
        ({"segments": (Segment(3, "a", (1.0, 1.0), 1),) * 2}, "segments has a duplicate"),
    ],
)
def test_shapes_that_do_not_fit_together(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(BadRelease, match=problem):
        check_shapes(replace(a_release(), **fields))


GROUPS = EncodedFeature("age", "quantile", quantile=3, borders=(30.0, 50.0))


def test_groups_of_a_number_pass() -> None:
    check_features(_with_feature(GROUPS))
    check_shapes(_with_feature(GROUPS))
    check_shapes(_with_feature(replace(GROUPS, borders=(30.0,))))  # equal borders are one


@pytest.mark.parametrize(
    ("feature", "problem"),
    [
        (replace(GROUPS, quantile=UNSET), r"features\[age\]\.quantile must be there, from 2 to 100"),
        (replace(GROUPS, quantile=1), "quantile must be there, from 2 to 100"),
        (replace(GROUPS, borders=UNSET), "borders has 0 numbers, but needs 1 to quantile less one"),
        (replace(GROUPS, quantile=2), "borders has 2 numbers, but needs 1 to quantile less one"),
        (replace(GROUPS, borders=(50.0, 30.0)), "borders must ascend"),
        (replace(GROUPS, borders=(30.0, 30.0)), "borders must ascend"),
        (replace(GROUPS, borders=(30.0, float("inf"))), "borders holds inf, which is no finite number"),
        (replace(GROUPS, encoding="log", borders=UNSET), "quantile is only for the encoding quantile"),
        (replace(NUMBER, borders=(1.0,)), "borders is only for the encoding quantile"),
    ],
)
def test_groups_that_do_not_fit(feature: EncodedFeature, problem: str) -> None:
    with pytest.raises(BadRelease, match=problem):
        check_shapes(_with_feature(feature))


def test_one_feature_twice() -> None:
    release = a_release()
    twice = replace(release, features=(*release.features[:4], NUMBER, *release.features[5:]))
    with pytest.raises(BadRelease, match="features has a duplicate"):
        check_shapes(twice)


def test_a_release_that_was_changed_after_it_was_named() -> None:
    release = a_release()
    with pytest.raises(BadRelease, match="was changed: version"):
        check_names(replace(release, metrics={"silhouette": 1.0}))
    with pytest.raises(BadRelease, match="was changed: version"):
        check_names(replace(release, space="0" * 12))


SPEND = Feature("spend", "sum", "order_value")


def _declaring(*declared: Feature, encoded: EncodedFeature | None = None) -> ModelRelease:
    return replace(_with_feature(encoded or EncodedFeature("spend", "number")), declared=declared)


def test_a_declared_feature_is_known_to_the_release() -> None:
    check_features(_declaring(SPEND))
    with pytest.raises(
        BadRelease, match=r"features\[spend\]\.encoding is label, but the feature is a number"
    ):
        check_features(_declaring(SPEND, encoded=replace(LABEL, name="spend")))


def test_a_declaration_that_cannot_be_made() -> None:
    with pytest.raises(BadRelease, match=r"declared is wrong \(setting declare\.spend\.source is 'brand'"):
        check_features(_declaring(Feature("spend", "sum", "brand")))


def test_a_worker_that_makes_the_features_as_the_release_does() -> None:
    check_declared(a_release(), FEATURES)
    check_declared(_declaring(SPEND), (*FEATURES, Feature("latest", "last", "status", "label"), SPEND))


@pytest.mark.parametrize(
    ("ours", "problem"),
    [
        (
            (),
            'spend = { kind = "sum", source = "order_value" }, which the setting declare lacks: declare it',
        ),
        ((Feature("spend", "mean", "price"),), "which the setting declare has as mean of price: declare it"),
    ],
)
def test_a_worker_that_makes_a_feature_in_another_way(ours: tuple[Feature, ...], problem: str) -> None:
    with pytest.raises(BadRelease) as refused:
        check_declared(_declaring(SPEND), (*FEATURES, *ours))
    assert problem in str(refused.value)


def test_a_worker_that_leaves_a_default_feature_out() -> None:
    names = {feature.name for feature in a_release().features}
    left = next(feature for feature in FEATURES if feature.name in names)
    ours = tuple(feature for feature in FEATURES if feature != left)
    with pytest.raises(
        BadRelease, match=f"reads {left.name}, which the setting features leaves out: add it there"
    ):
        check_declared(a_release(), ours)


def test_another_declaration_of_a_name_is_another_space() -> None:
    assert space_of(_declaring(SPEND)) != space_of(_declaring(replace(SPEND, kind="max")))


def test_the_name_of_a_segment_has_a_bound() -> None:
    release = a_release()
    first, *others = release.segments

    def named(name: str) -> ModelRelease:
        return replace(release, segments=(replace(first, name=name), *others))

    check_shapes(named("é" * 512))
    with pytest.raises(BadRelease, match=r"segments\[id=0\]\.name has more than 1,024 bytes of UTF-8"):
        check_shapes(named("é" * 512 + "x"))
