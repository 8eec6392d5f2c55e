"""How good a clustering is: the elbow curve over k, and figures for the k that was used.

Everything that draws random numbers is seeded, so that the same rows give the same figures.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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

from trainer.cluster import cluster
from trainer.encode import Matrix

Labels = npt.NDArray[np.int32]

SEED = 333
SILHOUETTE_ROWS = 5_000  # silhouette compares all pairs: 5,000 rows take half a second, 50,000 a minute
RESAMPLES = 10


@dataclass(frozen=True, slots=True)
class Curve:
    """The sum of squared distances to the nearest centre (SSE) for each k, and where it bends.

    ``elbow`` is kneed's: the k whose point lies farthest below the line between the curve's ends
    (Satopaa et al., "Finding a 'Kneedle' in a Haystack", 2011); None where the curve has no bend.
    """

    ks: tuple[int, ...]
    sse: tuple[float, ...]
    elbow: int | None


@dataclass(frozen=True, slots=True)
class Quality:
    """Figures for the clusters in use; None where they are not defined for so few rows.

    Attributes:
        silhouette: -1 to 1, higher is better (Rousseeuw 1987), over at most SILHOUETTE_ROWS rows.
        calinski_harabasz: higher is better (Caliński and Harabasz 1974).
        davies_bouldin: lower is better (Davies and Bouldin 1979).
        stability: the mean adjusted Rand index (Hubert and Arabie 1985) between these clusters and
            those of k-means fitted to resamples of the rows: 1 when they do not depend on who is in.
    """

    sse: float
    silhouette: float | None
    calinski_harabasz: float | None
    davies_bouldin: float | None
    stability: float


def curve(components: Matrix, ks: Sequence[int]) -> Curve:
    """The elbow curve.

    Args:
        components: shape (rows, components).
        ks: ascending. The curve ends before the first k that the rows lie too close together for.
    """
    sse = []
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        for k in ks:
            try:
                sse.append(float(cluster(components, k).inertia_))
            except ConvergenceWarning:
                break
    drawn = tuple(ks[: len(sse)])
    return Curve(ks=drawn, sse=tuple(sse), elbow=elbow(drawn, sse))


def elbow(ks: Sequence[int], sse: Sequence[float]) -> int | None:
    """Where a falling curve bends, by kneed; None where it does not, or has fewer than three points."""
    if len(ks) < 3 or min(sse) == max(sse):
        return None
    with warnings.catch_warnings():
        # kneed warns where it finds none: None says so already.
        warnings.simplefilter("ignore", UserWarning)
        found = KneeLocator(list(ks), list(sse), curve="convex", direction="decreasing").elbow
    return None if found is None else int(found)


def judge(components: Matrix, kmeans: Any) -> Quality:
    """The figures for a fitted ``KMeans``; components: shape (rows, components)."""
    labels: Labels = kmeans.labels_
    defined = len(np.unique(labels)) < len(labels)
    return Quality(
        sse=float(kmeans.inertia_),
        silhouette=_silhouette(components, labels) if defined else None,
        calinski_harabasz=float(calinski_harabasz_score(components, labels)) if defined else None,
        davies_bouldin=float(davies_bouldin_score(components, labels)) if defined else None,
        stability=_stability(components, labels, kmeans.n_clusters),
    )


def _silhouette(components: Matrix, labels: Labels) -> float | None:
    if len(labels) > SILHOUETTE_ROWS:
        chosen = np.random.default_rng(SEED).choice(len(labels), SILHOUETTE_ROWS, replace=False)
        components, labels = components[chosen], labels[chosen]
    if not 1 < len(np.unique(labels)) < len(labels):
        return None
    return float(silhouette_score(components, labels))


def _stability(components: Matrix, labels: Labels, k: int) -> float:
    rng = np.random.default_rng(SEED)
    scores = []
    for _ in range(RESAMPLES):
        sample = components[rng.integers(len(components), size=len(components))]
        with warnings.catch_warnings():
            # A resample of few rows may hold fewer different ones than k; that is part of the figure.
            warnings.simplefilter("ignore", ConvergenceWarning)
            refitted = cluster(sample, k)
        scores.append(adjusted_rand_score(labels, refitted.predict(components)))
    return float(np.mean(scores))
