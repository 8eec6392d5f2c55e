"""How the days alone move a user's components: the release's features that grow by 1 each day."""

from bisect import bisect_left
from collections.abc import Mapping
from math import floor

from msgspec import Struct

from schemas.outputs.segment_change import FeatureValue
from schemas.release.model_release import EncodedFeature, ModelRelease

Vector = tuple[float, ...]


class Moving(Struct, frozen=True):
    """A feature of a release that grows by 1 each day.

    Attributes:
        feature: the feature, with its encoding.
        mean: the training mean of the model's input.
        per_unit: what 1 of the model's input adds to the components.
    """

    feature: EncodedFeature
    mean: float
    per_unit: Vector


def reads_day(release: ModelRelease) -> bool:
    """Whether the value of a feature of the release may change while nothing happens."""
    names = {feature.name for feature in release.declared if feature.of_time}
    return any(feature.name in names for feature in release.features)


def moving_features(release: ModelRelease) -> tuple[Moving, ...]:
    """The features of the release that grow by 1 each day, in the release's order."""
    names = {feature.name for feature in release.declared if feature.kind == "days_since"}
    moving = []
    column = 0
    for feature in release.features:
        if feature.name in names:
            per_unit = tuple([axis[column] / release.scale[column] for axis in release.projection])
            moving.append(Moving(feature, release.mean[column], per_unit))
        column += feature.width
    return tuple(moving)


def days_to_next_group(moving: tuple[Moving, ...], values: Mapping[str, FeatureValue]) -> int | None:
    """In how many days the next ``quantile`` feature passes a border; None if no feature will.

    >>> weeks = EncodedFeature("days", "quantile", borders=(7.0, 14.0))
    >>> days_to_next_group((Moving(weeks, 0.0, (1.0,)),), {"days": 5})
    3
    """
    days = []
    for part in moving:
        value, cuts = values.get(part.feature.name), part.feature.cuts
        if isinstance(value, int | float) and (place := bisect_left(cuts, value)) < len(cuts):
            # A number on a border is in the lower group.
            days.append(floor(cuts[place] - value) + 1)
    return min(days, default=None)
