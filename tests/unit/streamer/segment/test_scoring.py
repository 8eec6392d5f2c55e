"""Scores derived by hand from releases small enough to do so."""

from math import inf, nan

import pytest
from msgspec.structs import replace

from schemas.errors import BadRelease
from schemas.outputs.segment_change import FeatureValue
from schemas.release.model_release import EncodedFeature, ModelRelease, Segment, Training
from streamer.segment.neighbours import angle
from streamer.segment.scoring import Scorer

pytestmark = pytest.mark.unit

Row = dict[str, FeatureValue]

# Two columns: age scaled by (age - 40) / 10, and gender coded F 0, M 1 scaled by (code - 0.5) / 0.5.
# The projection's means are (1, 0); its first axis takes age as it is, its second gender turned round.
PLAIN = ModelRelease(
    version="v1",
    space="s1",
    features=(
        EncodedFeature("age", "number"),
        EncodedFeature("gender", "label", ("F", "M"), (0.0, 1.0)),
    ),
    mean=(40.0, 0.5),
    scale=(10.0, 0.5),
    projection_mean=(1.0, 0.0),
    projection=((1.0, 0.0), (0.0, -1.0)),
    segments=(
        Segment(7, "young", (-3.0, 1.0), 10),
        Segment(2, "old", (1.0, 1.0), 20),
        Segment(5, "far", (1.0, -31.0), 5),
    ),
    next_segment=8,
    training=Training(None, 35, 35, ""),
)


def test_a_known_row() -> None:
    score = Scorer(PLAIN).score({"age": 60, "gender": "F"})

    # age: (60 - 40) / 10 - 1 = 1; gender: -((0 - 0.5) / 0.5) = 1: on the centre of segment 2.
    assert score.components == (1.0, 1.0)
    assert (score.segment, score.segment_name) == (2, "old")
    assert (score.distance, score.margin) == (0.0, 1.0)
    assert score.missing == ()
    assert not score.provisional


def test_rounding_gives_a_user_of_whom_nothing_is_known_no_direction() -> None:
    # The mean of scaled rows is 0, but for rounding.
    scorer = Scorer(replace(PLAIN, projection_mean=(-7.6e-17, 1.9e-16)))
    unknown = scorer.score({"gender": "?"})
    assert unknown.components == (0.0, 0.0)
    assert angle(unknown.components) is None
    assert scorer.score({"age": 40}).components == (7.6e-17, 1.9e-16)  # nearly the mean, and known
    # Such a release is not centred: its users lie where it says.
    assert Scorer(PLAIN).score({}).components == (-1.0, 0.0)


def test_of_a_logarithm_the_number_below_0_is_missing() -> None:
    release = replace(PLAIN, features=(EncodedFeature("age", "log"), PLAIN.features[1]), mean=(0.0, 0.5))
    scorer = Scorer(release)
    # ln(1 + 0) = 0, and (0 - 0) / 10 - 1 = -1.
    assert scorer.score({"age": 0, "gender": "F"}).components == (-1.0, 1.0)
    below = scorer.score({"age": -0.5, "gender": "F"})
    assert (below.missing, below.components) == (("age",), (-1.0, 1.0))


def test_a_number_counts_by_its_group() -> None:
    groups = EncodedFeature("age", "quantile", quantile=3, borders=(30.0, 50.0))
    scorer = Scorer(replace(PLAIN, features=(groups, PLAIN.features[1]), mean=(2.0, 0.5), scale=(1.0, 0.5)))

    def first(age: FeatureValue) -> float:
        return scorer.score({"age": age, "gender": "F"}).components[0]

    # (group - 2) / 1 - 1; without an age 0 - 1.
    assert [first(age) for age in (7, 30, 30.5, 50, 51, None)] == [-2, -2, -1, -1, 0, -1]
    assert scorer.score({"age": None, "gender": "F"}).missing == ("age",)


def test_the_present_segment_is_kept_until_another_is_nearer_by_the_margin() -> None:
    scorer = Scorer(PLAIN)
    row: dict[str, FeatureValue] = {"age": 50, "gender": "F"}

    # Components (0, 1): 1 from segment 2, 3 from segment 7, so 2 is nearer by 2/3 of the way to 7.
    kept = scorer.score(row, present=7, min_margin=0.7)
    assert (kept.segment, kept.segment_name, kept.distance, kept.margin) == (7, "young", 3.0, 2.0 / 3.0)
    assert kept.components == (0.0, 1.0)
    for min_margin in (0.0, 0.6, 2.0 / 3.0):
        assert scorer.score(row, 7, min_margin) == scorer.score(row)
    assert scorer.score(row, present=2, min_margin=0.7) == scorer.score(row)
    # 99 is no segment of this release.
    assert scorer.score(row, present=99, min_margin=0.7) == scorer.score(row)


def test_distance_and_margin() -> None:
    score = Scorer(PLAIN).score({"age": 40, "gender": "F"})

    # Components (-1, 1) are 2 from segment 2 and 2 from segment 7: a border, and 7 stands first.
    assert (score.segment, score.distance, score.margin) == (7, 2.0, 0.0)

    # Components (0, 1): 1 from segment 2, 3 from segment 7.
    score = Scorer(PLAIN).score({"age": 50, "gender": "F"})
    assert (score.segment, score.distance, score.margin) == (2, 1.0, 2.0 / 3.0)


@pytest.mark.parametrize("value", [None, nan, inf, "60"])
def test_a_number_that_is_none_counts_as_the_mean(value: FeatureValue) -> None:
    score = Scorer(PLAIN).score({"age": value, "gender": "F"})

    assert score.components == (-1.0, 1.0)
    assert score.missing == ("age",)
    assert score.provisional


@pytest.mark.parametrize("value", [None, "", "f", "X", 0])
def test_an_unseen_category_counts_as_the_mean(value: FeatureValue) -> None:
    score = Scorer(PLAIN).score({"age": 60, "gender": value})

    assert score.components == (1.0, 0.0)
    assert score.missing == ("gender",)


def test_missing_follows_the_order_of_the_features_and_absent_is_missing() -> None:
    assert Scorer(PLAIN).score({}).missing == ("age", "gender")
    assert Scorer(PLAIN).score({}).components == (-1.0, 0.0)


def test_frequency_codes() -> None:
    release = replace(
        PLAIN,
        features=(PLAIN.features[0], EncodedFeature("gender", "frequency", ("F", "M"), (0.25, 0.75))),
    )

    # -((0.75 - 0.5) / 0.5) = -0.5
    assert Scorer(release).score({"age": 60, "gender": "M"}).components == (1.0, -0.5)


def test_one_hot_sets_its_column_and_clears_the_others() -> None:
    release = replace(
        PLAIN,
        features=(EncodedFeature("country", "one-hot", ("a", "b")),),
        mean=(0.25, 0.75),
        scale=(0.5, 0.25),
        projection_mean=(0.0, 0.0),
        projection=((1.0, 10.0), (0.0, 1.0)),
    )
    scorer = Scorer(release)

    # a: columns ((1 - 0.25) / 0.5, (0 - 0.75) / 0.25) = (1.5, -3), so 1.5 - 30 and -3.
    assert scorer.score({"country": "a"}).components == (-28.5, -3.0)
    # b: columns (-0.5, 1), so -0.5 + 10 and 1.
    assert scorer.score({"country": "b"}).components == (9.5, 1.0)
    # Unseen: every column 0 after scaling, not "all columns clear" before it.
    assert scorer.score({"country": "c"}).components == (0.0, 0.0)


def test_categories_may_share_a_column() -> None:
    release = replace(
        PLAIN,
        features=(EncodedFeature("country", "one-hot", ("a", "b", "c"), (1.0, 0.0, 1.0)),),
        mean=(0.25, 0.75),
        scale=(0.5, 0.25),
        projection_mean=(0.0, 0.0),
        projection=((1.0, 10.0), (0.0, 1.0)),
    )
    scorer = Scorer(release)

    # b has the first column: (1.5, -3), as above; a and c the second: (-0.5, 1).
    assert scorer.score({"country": "b"}).components == (-28.5, -3.0)
    for shared in ("a", "c"):
        assert scorer.score({"country": shared}).components == (9.5, 1.0)
        assert scorer.score({"country": shared}).missing == ()
    assert scorer.score({"country": "d"}).missing == ("country",)


def test_one_segment_leaves_no_doubt_and_two_in_one_place_leave_nothing_else() -> None:
    centre = Segment(1, "only", (1.0, 1.0), 1)
    alone = Scorer(replace(PLAIN, segments=(centre,)))
    twice = Scorer(replace(PLAIN, segments=(centre, replace(centre, id=2))))
    row: Row = {"age": 60, "gender": "F"}

    assert alone.score(row).margin == 1.0
    assert (twice.score(row).segment, twice.score(row).margin) == (1, 0.0)


def test_a_margin_is_never_negative() -> None:
    # Both centres are 2 away. By |c|² - 2xc, as KMeans.predict rounds, the second is nearer; by the
    # distances, as they round, the first is.
    release = replace(
        PLAIN,
        features=(EncodedFeature("x", "number"), EncodedFeature("y", "number")),
        mean=(0.0, 0.0),
        scale=(1.0, 1.0),
        projection_mean=(0.0, 0.0),
        projection=((1.0, 0.0), (0.0, 1.0)),
        segments=(Segment(0, "a", (-1.9, -0.2), 1), Segment(1, "b", (1.2999999999999998, 2.2), 1)),
    )
    score = Scorer(release).score({"x": -0.3, "y": 1.0})

    assert (score.segment, score.margin) == (1, 0.0)


def test_a_release_that_does_not_fit_together_is_refused() -> None:
    with pytest.raises(BadRelease, match=r"release 'v1' cannot be scored with: scale holds 0\.0"):
        Scorer(replace(PLAIN, scale=(10.0, 0.0)))
