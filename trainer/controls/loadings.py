"""The share of each feature in each component.

A component is a direction of length 1 in the space of the scaled columns. The squares of its weights add up
to 1: each square is the share of one column. The share of a feature with several columns is their sum.
"""

from collections import defaultdict
from dataclasses import dataclass

from schemas.release.model_release import EncodedFeature, ModelRelease

VALUES = 5


@dataclass(frozen=True, slots=True)
class ValueWeight:
    """The weight of a column that stands for one value, or for several values together."""

    value: str
    weight: float


@dataclass(frozen=True, slots=True)
class Loading:
    """One feature's part in one component.

    Attributes:
        share: the sum of the squared weights of its columns, 0 to 1; the shares of all features add up to 1.
        weight: the weight of its only column, -1 to 1; None if it has several columns.
        values: for several columns, the VALUES with the largest absolute weights; if equal, the smaller text
            first.
    """

    feature: str
    share: float
    weight: float | None
    values: tuple[ValueWeight, ...]


def loadings(release: ModelRelease) -> tuple[tuple[Loading, ...], ...]:
    """The parts of the features, in the features' order, for every component."""
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
