"""Runs k-means: from random centres, or from the centres of a continued release."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import pairwise_distances_argmin

from trainer.steps.encode import Matrix

if TYPE_CHECKING:
    from trainer.steps.continued_fit import Start

SEED = 222


def cluster(components: Matrix, k: int) -> Any:
    """A fitted ``KMeans`` with ten random starts and a fixed seed; components: shape (rows, components)."""
    return KMeans(k, init="k-means++", n_init=10, max_iter=300, random_state=SEED).fit(components)


def nearest(components: Matrix, centres: Matrix) -> npt.NDArray[np.int64]:
    """The index of the nearest centre of each row, shape (rows,)."""
    return np.asarray(pairwise_distances_argmin(components, centres), dtype=np.int64)


def cluster_from(components: Matrix, start: Start) -> Any:
    """A fitted ``KMeans`` that begins with a release's centres.

    If a centre is nearest to no row, it is left out and its segment ends. With such a centre scikit-learn
    would begin another segment at the row farthest from its centre, or fail if rows are equal.

    k-means ends near a fixed point, not on it: a second run from its own result moves the centres a little.
    So if the rows are those of the release (``start.learned``), the centres stay as they are.

    Args:
        components: shape (rows, components).
        start: the continued release.
    """
    centres = start.centres[np.unique(nearest(components, start.centres))]
    kmeans = _fitted(components, centres)
    while len(kept := np.unique(kmeans.labels_)) < len(centres):  # a cluster has lost all rows
        centres = kmeans.cluster_centers_[kept]
        kmeans = _fitted(components, centres)
    if start.learned:
        kmeans.cluster_centers_ = centres
        kmeans.labels_ = kmeans.predict(components)
        kmeans.inertia_ = float(((components - centres[kmeans.labels_]) ** 2).sum())
    return kmeans


def _fitted(components: Matrix, centres: Matrix) -> Any:
    with warnings.catch_warnings():
        # The caller handles fewer clusters than centres.
        warnings.simplefilter("ignore", ConvergenceWarning)
        kmeans = KMeans(len(centres), init=centres, n_init=1, max_iter=300, random_state=SEED)
        return kmeans.fit(components)
