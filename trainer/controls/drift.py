"""How much the features' distributions have changed since the release in use was trained.

The index is that of :mod:`schemas.release.stability_index`. By chance alone it grows with the number of bins.
Over all brands of a shop, one random half of the users "drifts" from the other. So there are few bins. Both
samples together choose them, because the most frequent values of one sample are rarer in any other. And each
index is compared with the indices of resamples.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.release.stability_index import BINS, REST, psi, threshold_of

RESAMPLES = 200
QUANTILE = 0.99
SEED = 555

Counts = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bin:
    """A value, a range of numbers or all other values, with its share of the users before and now, 0 to 1."""

    value: str
    before: float
    now: float


@dataclass(frozen=True, slots=True)
class FeatureDrift:
    """How one feature changed.

    Attributes:
        psi: the population stability index over ``bins``.
        chance: the index of chance alone: 99 of 100 pairs of resamples stay below.
        threshold: an index above it is drift: ``chance``, but at least ``NOTABLE``.
        drifted: whether ``psi`` is above the threshold.
        bins: at most ``BINS``; numbers ascending, values by their users in both samples, all others last.
    """

    name: str
    psi: float
    chance: float
    threshold: float
    drifted: bool
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class Drift:
    """The features that both releases have, in the new release's order; ``current``: the version in use."""

    current: str
    features: tuple[FeatureDrift, ...]


def drift_of(current: str, before: pa.Table, now: pa.Table, names: Sequence[str]) -> Drift:
    """Compare the training users of the release in use with those of today.

    Args:
        current: the version of the release in use.
        before: the training users of the release in use, with features by name.
        now: today's training users, likewise.
        names: the features to compare: columns of both tables, without nulls.
    """
    return Drift(current, tuple(_drift(name, before[name], now[name]) for name in names))


def _drift(name: str, before: pa.ChunkedArray, now: pa.ChunkedArray) -> FeatureDrift:
    words, then, today = (_ranges if is_number(before) else _values)(before, now)
    index = psi(then.tolist(), today.tolist())
    chance = _chance(then, today)
    threshold = threshold_of(chance)
    shares = zip(words, then / then.sum(), today / today.sum(), strict=True)
    bins = tuple(Bin(value, float(share), float(share_now)) for value, share, share_now in shares)
    return FeatureDrift(name, index, chance, threshold, index > threshold, bins)


def is_number(column: pa.ChunkedArray) -> bool:
    """Whether a feature's column has numbers; else it has texts."""
    return not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type))


def _chance(before: Counts, now: Counts) -> float:
    return _quantile(before + now, int(before.sum()), int(now.sum()))


def by_chance(counts: Counts, users: int) -> float:
    """A high quantile of the index between these users and a sample of the same distribution.

    Args:
        counts: the users by bin.
        users: the number of users in the sample.
    """
    return _quantile(counts, int(counts.sum()), users)


def _quantile(counts: Counts, before: int, now: int) -> float:
    """A high quantile of the index between two samples of the distribution of ``counts``, of these sizes."""
    rng = np.random.default_rng(SEED)
    shares = counts / counts.sum()
    then, today = (rng.multinomial(users, shares, size=RESAMPLES).tolist() for users in (before, now))
    return float(np.quantile([psi(*pair) for pair in zip(then, today, strict=True)], QUANTILE))


def _values(before: pa.ChunkedArray, now: pa.ChunkedArray) -> tuple[list[str], Counts, Counts]:
    """The bins of a text: the most frequent values, and all others in one bin; with the counts of both
    samples.
    """
    then, today = counted(before), counted(now)
    common = common_values(then + today)
    if common[-1] != REST:
        return common, _in_bins(then, common), _in_bins(today, common)
    common = common[:-1]
    ends = [
        np.append(counted, counts.total() - counted.sum())
        for counts in (then, today)
        for counted in [_in_bins(counts, common)]
    ]
    return [*common, REST], ends[0], ends[1]


def _in_bins(counts: Counter[str], values: list[str]) -> Counts:
    return np.array([counts[value] for value in values], dtype=np.int64)


def common_values(users: Counter[str]) -> list[str]:
    """The values with a bin of their own, most users first; the last one is ``REST`` if there are
    other values.
    """
    common = sorted(users, key=lambda value: (-users[value], value))
    return common if len(common) <= BINS else [*common[: BINS - 1], REST]


def counted(column: pa.ChunkedArray) -> Counter[str]:
    """The number of users of each value."""
    found: Any = column.value_counts().to_pylist()
    return Counter({each["values"]: each["counts"] for each in found})


def _ranges(before: pa.ChunkedArray, now: pa.ChunkedArray) -> tuple[list[str], Counts, Counts]:
    """The bins of a number: ranges with about equally many users (more if many share a number); with both
    counts.
    """
    then, today = (np.asarray(column.to_numpy(), dtype=np.float64) for column in (before, now))
    ends = range_ends(np.concatenate([then, today]))
    words = [
        *(f"up to {end:g}" for end in ends[:1]),
        *(f"above {low:g}, up to {high:g}" for low, high in pairwise(ends)),
        f"above {ends[-1]:g}" if len(ends) else "any",
    ]
    return words, in_ranges(then, ends), in_ranges(today, ends)


def range_ends(numbers: Numbers) -> Numbers:
    """The last number of each range but the last range; each range has about equally many users."""
    # Each range ends with a number that occurs. So a feature with few different numbers has a bin for each.
    ends: Numbers = np.unique(np.quantile(numbers, np.arange(1, BINS) / BINS, method="inverted_cdf"))
    below: Numbers = ends[ends < numbers.max()]
    return below


def in_ranges(numbers: Numbers, ends: Numbers) -> Counts:
    """The number of users in each range; a number that ends a range is in it."""
    return np.bincount(np.searchsorted(ends, numbers), minlength=len(ends) + 1).astype(np.int64)
