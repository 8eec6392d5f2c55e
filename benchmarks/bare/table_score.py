"""A score from tables: for each feature, the two numbers that a value adds to the components."""

from collections.abc import Callable, Mapping
from math import dist, isfinite

from benchmarks.bare.bare_user import Value
from schemas.release.model_release import ModelRelease

Pair = tuple[float, float]


class TableScorer:
    """Scores by a release with two components, numbers and label codes: the default preset.

    Sums are plain, so the last digits of a component may differ from Segue's.
    """

    def __init__(self, release: ModelRelease) -> None:
        self.release = release
        first, second = release.projection
        self._origin = (_shift(release.projection_mean, first), _shift(release.projection_mean, second))
        self._parts: list[tuple[str, Callable[[Value], Pair | None]]] = []
        for column, feature in enumerate(release.features):
            mean, scale = release.mean[column], release.scale[column]
            weights = (first[column] / scale, second[column] / scale)
            if feature.encoding == "number":
                self._parts.append((feature.name, _of_number(mean, weights)))
            else:
                codes = zip(feature.categories, feature.codes, strict=True)
                table: dict[Value, Pair] = {text: _pair(code - mean, weights) for text, code in codes}
                self._parts.append((feature.name, table.get))
        self._centres = [segment.centre for segment in release.segments]

    def score(self, values: Mapping[str, Value]) -> tuple[int, Pair, float, float, tuple[str, ...]]:
        """The index of the nearest segment, the components, the distance, the margin and what is missing."""
        x, y = self._origin
        missing = []
        for name, part_of in self._parts:
            part = part_of(values[name])
            if part is None:
                missing.append(name)
            else:
                x += part[0]
                y += part[1]
        distances = [dist((x, y), centre) for centre in self._centres]
        nearest = min(distances)
        index = distances.index(nearest)
        distances[index] = float("inf")
        second = min(distances)
        return index, (x, y), nearest, (second - nearest) / second, tuple(missing)


def _pair(offset: float, weights: Pair) -> Pair:
    return offset * weights[0], offset * weights[1]


def _of_number(mean: float, weights: Pair) -> Callable[[Value], Pair | None]:
    def part_of(value: Value) -> Pair | None:
        if not isinstance(value, int | float) or not isfinite(value):
            return None
        return _pair(value - mean, weights)

    return part_of


def _shift(means: tuple[float, ...], axis: tuple[float, ...]) -> float:
    total = -sum(mean * weight for mean, weight in zip(means, axis, strict=True))
    # Rounding must not give a direction to users of whom nothing is known.
    return 0.0 if abs(total) < 1e-9 else total
