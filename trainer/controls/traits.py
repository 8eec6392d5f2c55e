"""The differences of each segment from all users (traits), with a statistic for how clear each is.

For a number, the mean of the segment is compared with the mean of all users. If the model reads the number's
logarithm or group, the means are those of what it reads, and people see the medians of the number itself. For
a text, the share of users with a value is compared. The *effect* is the difference in standard deviations of
all users. The *z score* is the difference in standard deviations of random segments of the same size (the
test value of Lebart, Morineau and Piron, "Statistique exploratoire multidimensionnelle", 1995; FactoMineR's
``catdes`` computes it too).
Many differences are tested, so a trait is *clear* only beyond Bonferroni's threshold for all of them.

The segments were made from these same features. So a z score shows how clear a difference is; it never shows
that the segments exist.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.stats import norm

from schemas.features import Feature
from trainer.controls.evaluate import Labels
from trainer.steps.encode import Matrix, inputs, learn_number

ALPHA = 0.05  # the chance that any trait of the whole report counts as clear by accident
# With fewer expected users with a value, in or outside a segment, the normal distribution misleads.
LEAST_EXPECTED = 5
PROFILE_ROWS = 14
MOST_VALUES = 20  # of each text feature, for each segment


@dataclass(frozen=True, slots=True)
class Trait:
    """One feature of one segment, compared with all users.

    Attributes:
        feature: the feature's name.
        value: the value of a text feature; None for a number.
        here: the segment's mean (the median if the model reads the logarithm or group), or the share of its
            users who have the value, 0 to 1.
        everywhere: the same over all training users.
        effect: the difference between the segment and all training users, in their standard deviations.
        z: the same difference in standard deviations of random segments of the same size.
        clear: whether z is beyond the threshold and enough users are expected for a normal distribution.
    """

    feature: str
    value: str | None
    here: float
    everywhere: float
    effect: float
    z: float
    clear: bool

    @property
    def lift(self) -> float:
        """The share here divided by the share everywhere."""
        return self.here / self.everywhere


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """One number, or one value of a text (None for a number), with its effects in clusters 0, 1, 2…"""

    feature: str
    value: str | None
    effects: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Traits:
    """The traits of every segment.

    Attributes:
        segments: the traits of clusters 0, 1, 2…: every number, and the MOST_VALUES most over-represented
            values of every text. The largest absolute effect comes first; if equal, the features' order
            decides.
        comparisons: the number of differences that were tested.
        threshold: a trait is clear from this absolute z score on.
        profile: the PROFILE_ROWS numbers and values with the largest absolute effect in any cluster; in the
            features' order, then the largest effect first.
    """

    segments: tuple[tuple[Trait, ...], ...]
    comparisons: int
    threshold: float
    profile: tuple[ProfileRow, ...]


@dataclass(frozen=True, slots=True)
class _Measured:
    """One feature; the matrices have shape (clusters, values). A number has one value, None.

    ``here`` and ``everywhere`` (values) are what people see.
    """

    feature: Feature
    values: tuple[str | None, ...]
    here: Matrix
    everywhere: Matrix
    effects: Matrix
    trusted: npt.NDArray[np.bool_]


def shows_median(feature: Feature) -> bool:
    """Whether people see the median of a number, since the model does not read the number itself."""
    return feature.log or feature.quantile is not None


def traits_of(rows: pa.Table, labels: Labels, features: Sequence[Feature]) -> Traits:
    """The traits of clusters 0, 1, 2…; no cluster is empty.

    Args:
        rows: the training rows, with the features by name, without nulls.
        labels: the cluster of each row, shape (rows,).
        features: the model's inputs.
    """
    sizes = np.bincount(labels)
    measured = [
        (_number if feature.numeric else _text)(feature, rows[feature.name], labels, sizes)
        for feature in features
    ]
    comparisons = sum(int(each.trusted.sum()) for each in measured)
    threshold = float(norm.isf(ALPHA / 2 / max(comparisons, 1)))
    return Traits(
        tuple(_segment(cluster, measured, sizes, threshold) for cluster in range(len(sizes))),
        comparisons,
        threshold,
        _profile(measured),
    )


def _profile(measured: Sequence[_Measured]) -> tuple[ProfileRow, ...]:
    found = []
    for place, each in enumerate(measured):
        effects = each.effects
        largest = np.abs(effects).max(axis=0)
        for column in np.argsort(-largest, kind="stable")[:PROFILE_ROWS]:
            row = ProfileRow(each.feature.name, each.values[column], tuple(effects[:, column].tolist()))
            found.append((float(largest[column]), place, row))
    chosen = sorted(found, key=lambda each: -each[0])[:PROFILE_ROWS]
    return tuple(row for _, _, row in sorted(chosen, key=lambda each: (each[1], -each[0])))


def _number(
    feature: Feature, column: pa.ChunkedArray, labels: Labels, sizes: npt.NDArray[np.int64]
) -> _Measured:
    numbers = np.asarray(column.to_numpy(), dtype=np.float64)
    read = inputs(learn_number(feature, numbers), numbers)
    here, everywhere = (
        np.bincount(labels, read, len(sizes))[:, None] / sizes[:, None],
        read.mean(keepdims=True),
    )
    effects = _in_deviations(here - everywhere, read.std(keepdims=True))
    if shows_median(feature):
        medians = [float(np.median(numbers[labels == cluster])) for cluster in range(len(sizes))]
        here, everywhere = np.array(medians)[:, None], np.array([np.median(numbers)])
    trusted = (sizes >= LEAST_EXPECTED) & (len(numbers) - sizes >= LEAST_EXPECTED)
    return _Measured(feature, (None,), here, everywhere, effects, trusted[:, None])


def _text(
    feature: Feature, column: pa.ChunkedArray, labels: Labels, sizes: npt.NDArray[np.int64]
) -> _Measured:
    encoded = column.combine_chunks().dictionary_encode()
    codes = encoded.indices.to_numpy().astype(np.int64)
    values = encoded.dictionary.to_pylist()
    counts = np.bincount(labels * np.int64(len(values)) + codes, minlength=len(sizes) * len(values))
    counts = counts.reshape(len(sizes), len(values))
    order = sorted(
        range(len(values)), key=values.__getitem__
    )  # of equal effects the smaller text comes first
    counts = counts[:, order]
    total = len(codes)
    shares = counts.sum(axis=0) / total
    here = counts / sizes[:, None]
    expected = sizes[:, None] * shares
    outside = (total - sizes)[:, None] * shares
    return _Measured(
        feature,
        tuple(values[place] for place in order),
        here,
        shares,
        _in_deviations(here - shares, np.sqrt(shares * (1 - shares))),
        (expected >= LEAST_EXPECTED) & (outside >= LEAST_EXPECTED),
    )


def _in_deviations(apart: Matrix, deviation: Matrix) -> Matrix:
    """Differences in standard deviations; 0 where all users are equal."""
    return np.divide(apart, deviation, where=deviation > 0, out=np.zeros_like(apart))


def _segment(
    cluster: int, measured: Sequence[_Measured], sizes: npt.NDArray[np.int64], threshold: float
) -> tuple[Trait, ...]:
    size, total = int(sizes[cluster]), int(sizes.sum())
    # The standard deviation of a mean over `size` of `total` users, drawn without replacement, in units of
    # the users' own standard deviation.
    spread = np.sqrt((total - size) / (size * (total - 1)))
    found = []
    for each in measured:
        here, effects = each.here[cluster], each.effects[cluster]
        order = np.argsort(-effects, kind="stable")[:MOST_VALUES]
        for place in order:
            effect = float(effects[place])
            if each.feature.numeric or effect > 0:
                z = effect / float(spread)
                clear = bool(each.trusted[cluster, place]) and abs(z) >= threshold
                found.append(
                    Trait(
                        each.feature.name,
                        each.values[place],
                        float(here[place]),
                        float(each.everywhere[place]),
                        effect,
                        z,
                        clear,
                    )
                )
    return tuple(sorted(found, key=lambda trait: -abs(trait.effect)))
