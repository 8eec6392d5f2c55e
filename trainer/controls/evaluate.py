"""The quality of a clustering: the figures of each k, and the elbow of the SSE.

All random numbers have fixed seeds, so that the same rows give the same figures. Some figures would take too
long over many users; they are computed over a seeded sample, and their description says so.
"""

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, TypeVar

import numpy as np
import numpy.typing as npt
from kneed import KneeLocator
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import (
    adjusted_rand_score,
    calinski_harabasz_score,
    davies_bouldin_score,
    silhouette_score,
)

from trainer.steps.cluster import cluster
from trainer.steps.encode import Matrix

Labels = npt.NDArray[np.int32]
Rows = TypeVar("Rows", Matrix, Labels)

SEED = 333
SEARCH_ROWS = 50_000  # with more rows k is searched over a sample: a million users would take minutes
RESAMPLE_ROWS = 10_000
SILHOUETTE_ROWS = 5_000  # the silhouette compares all pairs: 5,000 rows take 0.2 s, 50,000 rows half a minute
RESAMPLES = 10


@dataclass(frozen=True, slots=True)
class KQuality:
    """The figures of one k; None if a figure is not defined for so few rows.

    Attributes:
        k: the number of clusters.
        sse: the sum of squared distances to the nearest centre.
        silhouette: -1 to 1, higher is better (Rousseeuw 1987); over at most SILHOUETTE_ROWS rows, the same
            rows for each k.
        calinski_harabasz: higher is better (Caliński and Harabasz 1974).
        davies_bouldin: lower is better (Davies and Bouldin 1979).
        stability: the mean adjusted Rand index (Hubert and Arabie 1985) between these clusters and
            those of k-means fitted to RESAMPLES bootstrap resamples, of at most RESAMPLE_ROWS rows each; 1
            means that the clusters do not depend on the sample.
    """

    k: int
    sse: float
    silhouette: float | None
    calinski_harabasz: float | None
    davies_bouldin: float | None
    stability: float


@dataclass(frozen=True, slots=True)
class Search:
    """The figures for each k, and the k that each figure suggests.

    Attributes:
        rows: one for each k, ascending.
        elbow: the elbow of the SSE, found by kneed: the k whose point lies farthest below the line between
            the curve's ends (Satopaa et al., "Finding a 'Kneedle' in a Haystack", 2011); None if there is no
            bend.
        elbow_counts: how many bootstrap resamples had their elbow at each k (as text), or at ``none``.
        users: the number of training users in the search: all, or a sample of SEARCH_ROWS. The SSE of a
            sample is extrapolated to all users.
        highest_silhouette: the k with the highest silhouette, to three decimals; the smallest k if equal.
        highest_stability: the k with the highest stability, likewise.
    """

    rows: tuple[KQuality, ...]
    elbow: int | None
    elbow_counts: dict[str, int]
    users: int
    highest_silhouette: int | None = None
    highest_stability: int | None = None

    def with_used(self, used: KQuality) -> Self:
        """A copy in which the figures of the clusters in use replace those that the search found
        for that k.
        """
        rows = tuple(used if row.k == used.k else row for row in self.rows)
        return replace(
            self,
            rows=rows,
            highest_silhouette=_highest(rows, lambda row: row.silhouette),
            highest_stability=_highest(rows, lambda row: row.stability),
        )


def _highest(rows: Sequence[KQuality], figure: Callable[[KQuality], float | None]) -> int | None:
    found = [(round(value, 3), -row.k) for row in rows if (value := figure(row)) is not None]
    return -max(found)[1] if found else None


def search(components: Matrix, ks: Sequence[int]) -> Search:
    """Cluster with each k and compute the figures.

    Args:
        components: shape (rows, components).
        ks: ascending. The search ends before the first k for which the rows have too few different positions.
    """
    everybody, judged = len(components), sample(components, SILHOUETTE_ROWS)
    components = sample(components, SEARCH_ROWS)
    fits = []
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        for k in ks:
            try:
                fits.append(cluster(components, k))
            except ConvergenceWarning:
                break
    refits = [
        _refits(resample, [kmeans.n_clusters for kmeans in fits]) for resample in _resamples(components)
    ]
    rows = tuple(
        _quality(components, judged, kmeans, [refit[place] for refit in refits], everybody / len(components))
        for place, kmeans in enumerate(fits)
    )
    drawn = [row.k for row in rows]
    elbows = Counter(elbow(drawn, [float(kmeans.inertia_) for kmeans in refit]) for refit in refits)
    return Search(
        rows=rows,
        elbow=elbow(drawn, [row.sse for row in rows]),
        elbow_counts={str(k): elbows[k] for k in drawn if elbows[k]}
        | ({"none": elbows[None]} if elbows[None] else {}),
        users=len(components),
        highest_silhouette=_highest(rows, lambda row: row.silhouette),
        highest_stability=_highest(rows, lambda row: row.stability),
    )


def judge(components: Matrix, kmeans: Any) -> KQuality:
    """The figures of a fitted ``KMeans``; components: shape (rows, components)."""
    refits = [_refits(resample, [kmeans.n_clusters])[0] for resample in _resamples(components)]
    return _quality(components, sample(components, SILHOUETTE_ROWS), kmeans, refits, 1.0)


def elbow(ks: Sequence[int], sse: Sequence[float]) -> int | None:
    """The k where the falling curve ``sse`` bends, by kneed; None if there is no bend or fewer than three
    points.
    """
    if len(ks) < 3 or min(sse) == max(sse):
        return None
    with warnings.catch_warnings():
        # kneed warns if it finds no bend; None tells the caller.
        warnings.simplefilter("ignore", UserWarning)
        found = KneeLocator(list(ks), list(sse), curve="convex", direction="decreasing").elbow
    return None if found is None else int(found)


def _quality(
    components: Matrix, judged: Matrix, kmeans: Any, refits: Sequence[Any], share: float
) -> KQuality:
    """The figures of a clustering.

    Args:
        components: the rows, shape (rows, components).
        judged: the rows for the silhouette.
        kmeans: fitted to ``components``.
        refits: fitted to resamples.
        share: how many users each row stands for.
    """
    labels: Labels = kmeans.labels_
    defined = 1 < len(np.unique(labels)) < len(labels)
    seen = sample(components, RESAMPLE_ROWS)
    own = kmeans.predict(seen)
    return KQuality(
        k=int(kmeans.n_clusters),
        sse=float(kmeans.inertia_) * share,
        silhouette=silhouette(judged, kmeans.predict(judged)) if defined else None,
        calinski_harabasz=float(calinski_harabasz_score(components, labels)) if defined else None,
        davies_bouldin=float(davies_bouldin_score(components, labels)) if defined else None,
        stability=float(np.mean([adjusted_rand_score(own, refit.predict(seen)) for refit in refits])),
    )


def silhouette(components: Matrix, labels: Labels) -> float | None:
    """The mean silhouette; None if it is not defined for these labels."""
    if not 1 < len(np.unique(labels)) < len(labels):
        return None
    return float(silhouette_score(components, labels))


def sample(rows: Rows, most: int) -> Rows:
    """At most ``most`` of the rows, in their order; arrays of the same length give the same row indices."""
    if len(rows) <= most:
        return rows
    return rows[np.sort(np.random.default_rng(SEED).choice(len(rows), most, replace=False))]


def _resamples(components: Matrix) -> list[Matrix]:
    rng = np.random.default_rng(SEED)
    size = min(len(components), RESAMPLE_ROWS)
    return [components[rng.integers(len(components), size=size)] for _ in range(RESAMPLES)]


def _refits(resample: Matrix, ks: Sequence[int]) -> list[Any]:
    with warnings.catch_warnings():
        # A small resample may have fewer different rows than k; this belongs to the figure.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return [cluster(resample, k) for k in ks]
