"""A user's segment by a release: scikit-learn's encode, scale, project and assign, without scikit-learn.

The arithmetic is that of ``StandardScaler.transform``, ``PCA.transform`` and ``KMeans.predict`` (scikit-learn
1.9). The contribution of each value to the components is computed once, when the release is read, so a score
takes only a few look-ups and additions. All sums use :func:`math.fsum`, which rounds correctly. So the
components and the segment are the same on every machine and every version of Python.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from math import dist, fsum, isfinite
from operator import mul

from msgspec import Struct

from schemas.outputs.segment_change import FeatureValue
from schemas.release.model_release import OF_NUMBERS, EncodedFeature, ModelRelease
from schemas.release.number_inputs import number_input
from schemas.release.release_checks import check_shapes
from streamer.segment.moving_features import Vector, moving_features, reads_day
from streamer.segment.segment_border import Borders

# By value of a category. Only texts are keys, so any other value is missing.
Contributions = dict[FeatureValue, Vector]
ContributionOf = Callable[[FeatureValue], Vector | None]
"""Returns what a feature's value adds to the components; None if the value counts as missing."""


class Score(Struct, frozen=True):
    """A user's components and segment.

    Attributes:
        segment: the segment's stable id. It is the segment of the nearest centre, unless the user keeps the
            present segment.
        segment_name: the segment's name, for people.
        components: PCA coordinates (one per dimension of the release's space).
        distance: Euclidean distance to the segment's centre, in the space of the components.
        margin: (d2 - d1) / d2 for the distances to the nearest and the second centre: 0 on a border, 1 on
            a centre or if there is only one segment.
        missing: the features without a known value, in the release's order. Each of them counted as the
            training mean.
    """

    segment: int
    segment_name: str
    components: Vector
    distance: float
    margin: float
    missing: tuple[str, ...]

    @property
    def provisional(self) -> bool:
        """Whether a feature had to be imputed."""
        return bool(self.missing)


_NUMBERS = (int, float)
_ROUNDING = 1e-9


class _Number(Struct, frozen=True):
    """A numeric feature with one column. ``per_unit`` is the contribution of one standard deviation."""

    mean: float
    scale: float
    per_unit: Vector

    def of(self, value: FeatureValue) -> Vector | None:
        if not isinstance(value, _NUMBERS) or not isfinite(value):
            return None
        scaled = (value - self.mean) / self.scale
        return tuple([scaled * weight for weight in self.per_unit])


class _Changed(Struct, frozen=True):
    """A numeric feature that the model reads in another form: its logarithm, or its group."""

    feature: EncodedFeature
    read: _Number

    def of(self, value: FeatureValue) -> Vector | None:
        if not isinstance(value, _NUMBERS) or not isfinite(value):
            return None
        return self.read.of(number_input(self.feature, value))


class Scorer:
    """Scores users by one release.

    Attributes:
        reads_day: whether a score may change with the days alone.
        moving: the features that grow by 1 each day.
        borders: the borders of the segments.

    Raises:
        BadRelease: see :func:`schemas.release.release_checks.check_shapes`.
    """

    __slots__ = (
        "_centres",
        "_contributions",
        "_normed",
        "_origin",
        "_places",
        "_segments",
        "_unknown",
        "borders",
        "moving",
        "reads_day",
    )

    def __init__(self, release: ModelRelease) -> None:
        check_shapes(release)
        self._contributions = tuple(_folded(release))
        # The components of a row of training means: PCA subtracts its mean after the projection.
        self._origin: Vector = tuple(
            fsum(-mean * weight for mean, weight in zip(release.projection_mean, axis, strict=True))
            for axis in release.projection
        )
        # The components of a user without any known feature. Rounding must not give such users a direction:
        # they would become the most similar users of others.
        lies_there = all(abs(x) < _ROUNDING for x in self._origin)
        self._unknown = (0.0,) * len(self._origin) if lies_there else self._origin
        self._segments = release.segments
        self._places = {segment.id: place for place, segment in enumerate(release.segments)}
        self._centres = tuple(segment.centre for segment in release.segments)
        self.reads_day = reads_day(release)
        self.moving = moving_features(release)
        self.borders = Borders(release.segments)
        # Each centre with its square norm.
        self._normed = tuple((fsum(x * x for x in centre), centre) for centre in self._centres)

    def score(
        self, features: Mapping[str, FeatureValue], present: int | None = None, min_margin: float = 0.0
    ) -> Score:
        """The score of one user.

        Args:
            features: raw values by name. A value is missing if its name is absent, if it is None or not
                finite, or if training never saw it. A missing value adds 0, the training mean after scaling.
            present: the segment that the user is in now; None if there is none.
            min_margin: 0 to 1. The user keeps the present segment until another centre is nearer by this
                share of the distance to the present segment's centre.
        """
        parts = [self._origin]
        missing = []
        for name, contribution_of in self._contributions:
            contribution = contribution_of(features.get(name))
            if contribution is None:
                missing.append(name)
            else:
                parts.append(contribution)
        nothing_known = len(parts) == 1
        components = self._unknown if nothing_known else tuple(map(fsum, zip(*parts, strict=True)))
        nearest, distance, margin = self._assign(components)
        if min_margin > 0.0 and present in self._places:
            own = dist(components, self._centres[self._places[present]])
            if own - distance < min_margin * own:
                nearest, distance = self._places[present], own
        segment = self._segments[nearest]
        return Score(segment.id, segment.name, components, distance, margin, tuple(missing))

    def _assign(self, components: Vector) -> tuple[int, float, float]:
        """The nearest centre's index (the first of equally near centres), its distance, and the margin."""
        # Like KMeans.predict: |x - c|² without |x|², because |x|² is the same for all centres.
        if len(components) == 2:
            x, y = components
            # One addition rounds like fsum.
            closeness = [square_norm - 2.0 * (x * cx + y * cy) for square_norm, (cx, cy) in self._normed]
        else:
            closeness = [
                square_norm - 2.0 * fsum(map(mul, components, centre)) for square_norm, centre in self._normed
            ]
        nearest = closeness.index(min(closeness))
        distance = dist(components, self._centres[nearest])
        if len(closeness) == 1:
            return nearest, distance, 1.0
        closeness[nearest] = float("inf")
        next_distance = dist(components, self._centres[closeness.index(min(closeness))])
        if next_distance == 0.0:
            return nearest, distance, 0.0
        # On a border, rounding may give the two forms of the distance opposite orders.
        return nearest, distance, max(0.0, (next_distance - distance) / next_distance)


def _folded(release: ModelRelease) -> Iterable[tuple[str, ContributionOf]]:
    """Each feature with the function that gives the contribution of its values to the components."""
    column = 0
    for feature in release.features:
        columns = range(column, column + feature.width)
        column += feature.width
        weights = [tuple(axis[c] for axis in release.projection) for c in columns]
        if feature.encoding in OF_NUMBERS:
            number = _Number(release.mean[columns[0]], release.scale[columns[0]], weights[0])
            of_value = number.of if feature.encoding == "number" else _Changed(feature, number).of
            # Ages and counts come again and again.
            yield feature.name, lru_cache(maxsize=1_024, typed=True)(of_value)
        elif feature.encoding == "one-hot":
            means, scales = [release.mean[c] for c in columns], [release.scale[c] for c in columns]
            yield feature.name, _one_hot(feature, means, scales, weights).get
        else:
            numbers = _Number(release.mean[columns[0]], release.scale[columns[0]], weights[0])
            pairs = zip(feature.categories, feature.codes, strict=True)
            known: Contributions = {c: v for c, x in pairs if (v := numbers.of(x)) is not None}
            yield feature.name, known.get


def _one_hot(
    feature: EncodedFeature, means: Sequence[float], scales: Sequence[float], weights: Sequence[Vector]
) -> Contributions:
    """By category, the sum over the feature's columns: the category's column is 1, the others are 0."""
    zeros = [-mean / scale for mean, scale in zip(means, scales, strict=True)]
    # With thousands of brands, a sum over all columns for each category would take quadratic time. So the
    # sum of all zeros is computed once, and a category only changes its own column, by 1 / scale.
    all_zero = [
        fsum(z * w[axis] for z, w in zip(zeros, weights, strict=True)) for axis in range(len(weights[0]))
    ]
    by_column = [
        tuple([total + w / scale for total, w in zip(all_zero, weight, strict=True)])
        for scale, weight in zip(scales, weights, strict=True)
    ]
    return {
        category: by_column[column]
        for category, column in zip(feature.categories, feature.columns, strict=True)
    }
