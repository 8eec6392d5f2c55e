"""Which features of a release move with the days, and by how much."""

import pytest
from msgspec.structs import replace

from schemas.features import Feature
from schemas.release.model_release import EncodedFeature, ModelRelease, Segment, Training
from streamer.segment.moving_features import Moving, days_to_next_group, moving_features, reads_day

pytestmark = pytest.mark.unit

WEEKS = EncodedFeature("days", "quantile", quantile=3, borders=(7.0, 14.5))
RELEASE = ModelRelease(
    version="v",
    space="s",
    features=(EncodedFeature("country", "one-hot", ("a", "b")), EncodedFeature("days", "log")),
    mean=(0.5, 0.5, 4.0),
    scale=(1.0, 1.0, 0.5),
    projection_mean=(0.0, 0.0, 0.0),
    projection=((1.0, 2.0, 3.0), (4.0, 5.0, -6.0)),
    segments=(Segment(0, "all", (0.0, 0.0), 1),),
    next_segment=1,
    training=Training(None, 1, 1, ""),
    declared=(Feature("days", "days_since", "last_order"), Feature("other", "days_since", "signup")),
)


def test_the_columns_before_a_feature_are_counted() -> None:
    # The third column: 3 / 0.5 and -6 / 0.5.
    assert moving_features(RELEASE) == (Moving(RELEASE.features[1], 4.0, (6.0, -12.0)),)


def test_what_no_model_reads_moves_nobody() -> None:
    assert reads_day(RELEASE)
    country_alone = replace(RELEASE, features=RELEASE.features[:1])
    assert not reads_day(country_alone)


@pytest.mark.parametrize(("days", "to_next"), [(0, 8), (7, 1), (8, 7), (14, 1), (15, None), (None, None)])
def test_a_group_ends_on_the_first_whole_day_above_its_border(days: int | None, to_next: int | None) -> None:
    assert days_to_next_group((Moving(WEEKS, 2.0, (1.0,)),), {"days": days}) == to_next
