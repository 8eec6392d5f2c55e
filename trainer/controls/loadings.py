"""What each component is made of.

A component is a direction in the space of the scaled columns, of length 1: the squares of its weights add up to 1
and say which share of it is each column. A feature that became several columns has the sum of theirs.
"""

from collections import defaultdict
from dataclasses import dataclass

from schemas.release.model_release import EncodedFeature, ModelRelease

VALUES = 5


@dataclass(frozen=True, slots=True)
class ValueWeight:
    """The weight of the column of one value, or of several that share it."""

    value: str
    weight: float


@dataclass(frozen=True, slots=True)
class Loading:
    """One feature's part in one component.

    Attributes:
        share: the sum of its columns' squared weights, 0 to 1; over all features they add up to 1.
        weight: of its one column, -1 to 1; None where it has several.
        values: of several columns those with the largest absolute weights, at most VALUES; equal: the smaller text.
    """

    feature: str
    share: float
    weight: float | None
    values: tuple[ValueWeight, ...]


def loadings(release: ModelRelease) -> tuple[tuple[Loading, ...], ...]:
    """Of every component the features' parts, in the features' order."""
    return tuple(_component(release.features, axis) for axis in release.projection)


def _component(features: tuple[EncodedFeature, ...], axis: tuple[float, ...]) -> tuple[Loading, ...]:
    found, start = [], 0
    for feature in features:
        weights = axis[start : start + feature.width]
        start += feature.width
        found.append(
            Loading(
                feature.name,
                sum(weight * weight for weight in weights),
                None if feature.encoding == "one-hot" else weights[0],
                _values(feature, weights) if feature.encoding == "one-hot" else (),
            )
        )
    return tuple(found)


def _values(feature: EncodedFeature, weights: tuple[float, ...]) -> tuple[ValueWeight, ...]:
    sharing: dict[int, list[str]] = defaultdict(list)
    for category, column in zip(feature.categories, feature.columns, strict=True):
        sharing[column].append(category)
    found = [
        ValueWeight(values[0] if len(values) == 1 else f"{len(values)} values together", weights[column])
        for column, values in sharing.items()
    ]
    return tuple(sorted(found, key=lambda each: (-abs(each.weight), each.value))[:VALUES])
