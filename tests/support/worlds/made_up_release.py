"""A small handmade release: two components, four segments, all features in use; users move often."""

from datetime import UTC, datetime

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from schemas.features import COUNTED, Feature
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
    return _named(release)


RECENCY = Feature("recency", "days_since", "last_order")
# Without an order in the last four days it is missing.
TIMED = (RECENCY, Feature("recent_orders", "count", COUNTED, window=4))


def a_recency_release(
    borders: tuple[float, ...] = (0.0, 10.0, 30.0), time_zone: str | UnsetType = UNSET
) -> ModelRelease:
    """Return a release whose only feature is the days since the last order, with centres on one axis.

    With the default centres a user moves from 0 to 1 on the 6th day after an order, and to 2 on the 21st: on
    the 5th and the 20th both centres are equally near, and the first one counts.
    """
    release = ModelRelease(
        version="",
        space="",
        features=(EncodedFeature(RECENCY.name, "number"),),
        mean=(0.0,),
        scale=(1.0,),
        projection_mean=(0.0,),
        projection=((1.0,), (0.0,)),
        segments=tuple(Segment(i, f"segment {i}", (at, 0.0), 10) for i, at in enumerate(borders)),
        next_segment=len(borders),
        training=Training(None, 100, 90, "0" * 64),
        time_zone=time_zone,
        declared=(RECENCY,),
    )
    return _named(release)


class Form(Struct, frozen=True):
    """How a release reads :data:`TIMED`: the features, with the mean and the scale of the model's inputs."""

    features: tuple[EncodedFeature, ...]
    mean: tuple[float, float]
    scale: tuple[float, float]


AS_NUMBERS = Form(tuple(EncodedFeature(each.name, "number") for each in TIMED), (3.0, 1.0), (3.0, 1.0))
AS_LOGARITHMS = Form(tuple(EncodedFeature(each.name, "log") for each in TIMED), (1.2, 0.7), (0.7, 0.4))
AS_GROUPS = Form(
    (
        EncodedFeature("recency", "quantile", quantile=4, borders=(1.0, 3.0, 6.0)),
        EncodedFeature("recent_orders", "quantile", quantile=2, borders=(1.0,)),
    ),
    (2.5, 1.5),
    (1.0, 0.5),
)


def timed(release: ModelRelease, form: Form = AS_NUMBERS) -> ModelRelease:
    """Return the release with the features of :data:`TIMED`, by which users move often as days pass."""
    x, y = release.projection
    scale = release.scale[0] / SCALE[0]
    release = replace(
        release,
        features=(*release.features, *form.features),
        mean=(*release.mean, *form.mean),
        scale=(*release.scale, *(scale * each for each in form.scale)),
        projection_mean=(*release.projection_mean, 0.0, 0.0),
        projection=((*x, 0.9, -0.6), (*y, -0.7, 0.5)),
        declared=(*release.declared, *TIMED),
    )
    return _named(release)


def _named(release: ModelRelease) -> ModelRelease:
    release = replace(release, space=space_of(release))
    return replace(release, version=version_of(release))


def an_active_model(activation: int = 0, release: ModelRelease | None = None) -> ActiveModel:
    """Return a release in the form that a worker uses."""
    release = release or a_release()
    return ActiveModel(release, Scorer(release), activation, "segment-models#0", ACTIVATED_AT)
