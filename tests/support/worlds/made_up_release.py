"""A small handmade release: two components, four segments, all features in use; users move often."""

from datetime import UTC, datetime

from msgspec.structs import replace

from schemas.features import Feature
from schemas.release.model_release import (
    EncodedFeature,
    ModelRelease,
    Segment,
    Training,
    space_of,
    version_of,
)
from streamer.segment.active_model import ActiveModel
from streamer.segment.scoring import Scorer

FEATURES = (
    EncodedFeature("age", "number"),
    EncodedFeature("gender", "label", ("F", "M"), (0.0, 1.0)),
    EncodedFeature("country", "label", ("España", "Spain"), (0.0, 1.0)),
    EncodedFeature("traffic_source", "frequency", ("Email", "Search"), (0.25, 0.75)),
    EncodedFeature("total_orders", "number"),
    EncodedFeature("most_frequent_brand", "one-hot", ("Allegra K", "Carhartt", "Ön")),
    EncodedFeature("most_frequent_category", "label", ("Jeans", "Socks"), (0.0, 1.0)),
)
#                age   gender country source orders  brands (3)       category
MEAN = (40.0, 0.5, 0.5, 0.5, 2.0, 0.3, 0.3, 0.4, 0.5)
SCALE = (20.0, 0.5, 0.5, 0.25, 1.0, 0.5, 0.5, 0.5, 0.5)
PROJECTION = (
    (0.3, 0.5, 0.0, 0.1, 0.9, -0.8, 0.2, 0.6, 0.1),
    (-0.4, 0.2, 0.3, 0.0, 0.5, 0.4, -0.9, 0.1, 0.7),
)
# The activation time of every release here.
ACTIVATED_AT = datetime(2024, 5, 1, tzinfo=UTC)
CENTRES = ((1.5, 0.0), (0.0, 1.5), (-1.5, 0.0), (0.0, -1.5))


def a_release(
    *,
    centres: tuple[tuple[float, float], ...] = CENTRES,
    exclude_statuses: tuple[str, ...] = (),
    declared: tuple[Feature, ...] = (),
    scale: float = 1.0,
) -> ModelRelease:
    """Return a valid release; other ``centres`` change the version, another ``scale`` also the space."""
    release = ModelRelease(
        version="",
        space="",
        features=FEATURES,
        mean=MEAN,
        scale=tuple(one * scale for one in SCALE),
        projection_mean=(0.0,) * len(MEAN),
        projection=PROJECTION,
        segments=tuple(Segment(i, f"segment {i}", centre, 10) for i, centre in enumerate(centres)),
        next_segment=len(centres),
        training=Training(None, 100, 90, "0" * 64),
        exclude_statuses=exclude_statuses,
        declared=declared,
    )
    release = replace(release, space=space_of(release))
    return replace(release, version=version_of(release))


def an_active_model(activation: int = 0, release: ModelRelease | None = None) -> ActiveModel:
    """Return a release in the form that a worker uses."""
    release = release or a_release()
    return ActiveModel(release, Scorer(release), activation, "segment-models#0", ACTIVATED_AT)
