"""How much the features' distributions have changed since the release in use was trained.

The population stability index (PSI) is the sum of (q - p) ln(q / p) over bins. p is a bin's share before, q
its share now. Siddiqi ("Credit Risk Scorecards", 2006) calls 0.1 a shift worth a look.

By chance alone the index grows with the number of bins and falls with the number of users (Yurdakul,
"Statistical Properties of Population Stability Index", 2018). Over all brands of a shop, one random half of
the users "drifts" from the other. So there are few bins. Both samples together choose them, because the most
frequent values of one sample are rarer in any other. And each index is compared with the indices of
resamples.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

BINS = 20
NOTABLE = 0.1
RESAMPLES = 200
QUANTILE = 0.99
SEED = 555
REST = "all others"

Counts = npt.NDArray[np.int64]


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
        threshold: an index above it is drift: ``chance``, but at least :data:`NOTABLE`.
        drifted: whether ``psi`` is above the threshold.
        bins: at most :data:`BINS`; numbers ascending, values by their users in both samples, all others last.
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
    number = not (pa.types.is_string(before.type) or pa.types.is_large_string(before.type))
    words, then, today = (_ranges if number else _values)(before, now)
    index = float(psi(then, today))
    chance = _by_chance(then, today)
    threshold = max(chance, NOTABLE)
    shares = zip(words, then / then.sum(), today / today.sum(), strict=True)
    bins = tuple(Bin(value, float(share), float(share_now)) for value, share, share_now in shares)
    return FeatureDrift(name, index, chance, threshold, index > threshold, bins)


def psi(before: Counts, now: Counts) -> npt.NDArray[np.float64]:
    """The index over the last axis; both arrays count users by bin. Half a user is added to each bin, so that
    the index is finite.
    """
    p, q = (counts + 0.5 for counts in (before, now))
    p, q = p / p.sum(axis=-1, keepdims=True), q / q.sum(axis=-1, keepdims=True)
    return np.asarray(((q - p) * np.log(q / p)).sum(axis=-1))


def _by_chance(before: Counts, now: Counts) -> float:
    """A high quantile of the index between two samples of one distribution, of the same sizes as these."""
    rng = np.random.default_rng(SEED)
    shares = (before + now) / (before + now).sum()
    then, today = (rng.multinomial(int(counts.sum()), shares, size=RESAMPLES) for counts in (before, now))
    return float(np.quantile(psi(then, today), QUANTILE))


def _values(before: pa.ChunkedArray, now: pa.ChunkedArray) -> tuple[list[str], Counts, Counts]:
    """The bins of a text: the most frequent values, and all others in one bin; with the counts of both
    samples.
    """
    then, today = _counted(before), _counted(now)
    both = then + today
    common = sorted(both, key=lambda value: (-both[value], value))
    if len(common) <= BINS:
        return common, _in_bins(then, common), _in_bins(today, common)
    common = common[: BINS - 1]
    ends = [
        np.append(counted, counts.total() - counted.sum())
        for counts in (then, today)
        for counted in [_in_bins(counts, common)]
    ]
    return [*common, REST], ends[0], ends[1]


def _in_bins(counts: Counter[str], values: list[str]) -> Counts:
    return np.array([counts[value] for value in values], dtype=np.int64)


def _counted(column: pa.ChunkedArray) -> Counter[str]:
    counted: Any = column.value_counts().to_pylist()
    return Counter({each["values"]: each["counts"] for each in counted})


def _ranges(before: pa.ChunkedArray, now: pa.ChunkedArray) -> tuple[list[str], Counts, Counts]:
    """The bins of a number: ranges with about equally many users (more if many share a number); with both
    counts.
    """
    then, today = (np.asarray(column.to_numpy(), dtype=np.float64) for column in (before, now))
    both = np.concatenate([then, today])
    # Each range ends with a number that occurs. So a feature with few different numbers has a bin for each.
    ends = np.unique(np.quantile(both, np.arange(1, BINS) / BINS, method="inverted_cdf"))
    ends = ends[ends < both.max()]
    words = [
        *(f"up to {end:g}" for end in ends[:1]),
        *(f"above {low:g}, up to {high:g}" for low, high in pairwise(ends)),
        f"above {ends[-1]:g}" if len(ends) else "any",
    ]
    counted = [
        np.bincount(np.searchsorted(ends, numbers), minlength=len(ends) + 1).astype(np.int64)
        for numbers in (then, today)
    ]
    return words, counted[0], counted[1]
