"""What sets each segment's users apart from everybody, with a statistic for how clear it is.

For a number the segment's mean is compared with everybody's, for a text the share of users who have a value.
The *effect* is the difference in standard deviations of everybody. The *z score* is the difference in standard
deviations of what segments of that size would have if users were put into them at random (the test value
of Lebart, Morineau and Piron, "Statistique exploratoire multidimensionnelle", 1995, which FactoMineR's
``catdes`` gives too). Many are looked at, so a trait counts as *clear* beyond Bonferroni's threshold for all of them.

The segments were made from these same features: a z score tells how clear a difference is, never that the
segments exist.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.stats import norm

from schemas.features import Feature
from trainer.controls.evaluate import Labels
from trainer.steps.encode import Matrix

ALPHA = 0.05  # the chance that any trait of the whole report counts as clear by accident
LEAST_EXPECTED = (
    5  # users with a value, in and outside a segment, below which the normal distribution misleads
)
PROFILE_ROWS = 14
MOST_VALUES = 20  # of one text feature, for one segment


@dataclass(frozen=True, slots=True)
class Trait:
    """One feature of one segment beside everybody.

    Attributes:
        feature: its name.
        value: of a text; None for a number.
        here: the segment's mean, or the share of its users who have the value, 0 to 1.
        everywhere: the same of all training users.
        effect: ``here - everywhere`` in standard deviations of all training users.
        z: the same in standard deviations over random segments of that size.
        clear: whether z is beyond the threshold, and its normal distribution can be trusted.
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
        """How many times as common the value is here as everywhere."""
        return self.here / self.everywhere


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """One number, or one value of a text (None for a number), with its effect in clusters 0, 1, 2…"""

    feature: str
    value: str | None
    effects: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Traits:
    """The traits of every segment.

    Attributes:
        segments: of clusters 0, 1, 2…: every number, and the most over-represented values of every text (at most
            MOST_VALUES), the largest absolute effect first; equal: in the features' order.
        comparisons: how many differences were looked at.
        threshold: the absolute z score from which a trait is clear.
        profile: at most PROFILE_ROWS numbers and values, those with the largest absolute effect in any cluster,
            in the features' order, then the largest first.
    """

    segments: tuple[tuple[Trait, ...], ...]
    comparisons: int
    threshold: float
    profile: tuple[ProfileRow, ...]


@dataclass(frozen=True, slots=True)
class _Measured:
    """One feature: ``here`` and ``trusted`` have shape (clusters, values), a number has one value, None."""

    feature: Feature
    values: tuple[str | None, ...]
    here: Matrix
    everywhere: Matrix
    deviation: Matrix
    trusted: npt.NDArray[np.bool_]

    def effects(self) -> Matrix:
        """Shape (clusters, values)."""
        apart = self.here - self.everywhere
        return np.divide(apart, self.deviation, where=self.deviation > 0, out=np.zeros_like(apart))


def traits_of(rows: pa.Table, labels: Labels, features: Sequence[Feature]) -> Traits:
    """The traits of clusters 0, 1, 2…, none of them empty.

    Args:
        rows: the training rows, with the features by name, without nulls.
        labels: each row's cluster, shape (rows,).
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
        effects = each.effects()
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
    here = np.bincount(labels, numbers, len(sizes)) / sizes
    trusted = (sizes >= LEAST_EXPECTED) & (len(numbers) - sizes >= LEAST_EXPECTED)
    return _Measured(
        feature,
        (None,),
        here[:, None],
        np.array([numbers.mean()]),
        np.array([numbers.std()]),
        trusted[:, None],
    )


def _text(
    feature: Feature, column: pa.ChunkedArray, labels: Labels, sizes: npt.NDArray[np.int64]
) -> _Measured:
    encoded = column.combine_chunks().dictionary_encode()
    codes = encoded.indices.to_numpy().astype(np.int64)
    values = encoded.dictionary.to_pylist()
    counts = np.bincount(labels * np.int64(len(values)) + codes, minlength=len(sizes) * len(values))
    counts = counts.reshape(len(sizes), len(values))
    order = sorted(range(len(values)), key=values.__getitem__)  # equal effects: the smaller text first
    counts = counts[:, order]
    total = len(codes)
    shares = counts.sum(axis=0) / total
    expected = sizes[:, None] * shares
    outside = (total - sizes)[:, None] * shares
    return _Measured(
        feature,
        tuple(values[place] for place in order),
        counts / sizes[:, None],
        shares,
        np.sqrt(shares * (1 - shares)),
        (expected >= LEAST_EXPECTED) & (outside >= LEAST_EXPECTED),
    )


def _segment(
    cluster: int, measured: Sequence[_Measured], sizes: npt.NDArray[np.int64], threshold: float
) -> tuple[Trait, ...]:
    size, total = int(sizes[cluster]), int(sizes.sum())
    # A mean over `size` of `total` users, drawn without replacement, deviates by this many of their deviations.
    spread = np.sqrt((total - size) / (size * (total - 1)))
    found = []
    for each in measured:
        here, effects = each.here[cluster], each.effects()[cluster]
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
