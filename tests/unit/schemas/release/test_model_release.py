import math
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from schemas.errors import BadRelease
from schemas.release.model_release import EncodedFeature, ModelRelease, Segment, space_of, version_of
from tests.support.worlds.made_up_release import a_release


def test_the_width_of_a_feature() -> None:
    assert EncodedFeature("age", "number").width == 1
    assert EncodedFeature("gender", "label", ("F", "M"), (0.0, 1.0)).width == 1
    assert EncodedFeature("gender", "one-hot", ("D", "F", "M")).width == 3
    assert EncodedFeature("gender", "one-hot", ("D", "F", "M"), (1.0, 0.0, 1.0)).width == 2


def test_names_are_twelve_hex_digits() -> None:
    for name in (space_of(a_release()), version_of(a_release())):
        assert len(name) == 12
        int(name, 16)


def test_where_its_files_lie_and_its_name_do_not_name_a_release() -> None:
    release = a_release()
    moved = replace(release, version="x", artifacts={"model.json": "0"}, artifacts_uri="s3://bucket/x")
    assert version_of(moved) == version_of(release)


def test_other_segments_are_another_version_in_the_same_space() -> None:
    release = a_release()
    renamed = replace(release, segments=(Segment(0, "other", (1.0, 2.0), 10), *release.segments[1:]))
    assert version_of(renamed) != version_of(release)
    assert space_of(renamed) == space_of(release)


@pytest.mark.parametrize("name", ["mean", "scale", "projection_mean"])
def test_other_scaling_or_projection_is_another_space(name: str) -> None:
    release = a_release()
    numbers = getattr(release, name)
    assert space_of(replace(release, **{name: (numbers[0] + 1.0, *numbers[1:])})) != space_of(release)


def test_a_whole_number_in_a_doubles_place_names_the_same_release() -> None:
    release = a_release()
    whole = replace(release, mean=tuple(int(x) if x.is_integer() else x for x in release.mean))
    assert [type(number) for number in whole.mean] != [type(number) for number in release.mean]
    assert (space_of(whole), version_of(whole)) == (space_of(release), version_of(release))


@pytest.mark.parametrize("number", [math.nan, math.inf])
@pytest.mark.parametrize("name_of", [space_of, version_of])
def test_a_number_that_is_none_cannot_be_named(name_of: Callable[[ModelRelease], str], number: float) -> None:
    release: ModelRelease = replace(a_release(), metrics={"silhouette": number})
    with pytest.raises(BadRelease, match=r"not finite.*metrics"):
        name_of(release)
