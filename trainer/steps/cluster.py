"""The two ways in which we run k-means: the article's, and from the centres of a release that is continued."""

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
    """A fitted ``KMeans`` with the article's settings and seed; components: shape (rows, components)."""
    return KMeans(k, init="k-means++", n_init=10, max_iter=300, random_state=SEED).fit(components)


def nearest(components: Matrix, centres: Matrix) -> npt.NDArray[np.int64]:
    """The place of each row's nearest centre, shape (rows,)."""
    return np.asarray(pairwise_distances_argmin(components, centres), dtype=np.int64)


def cluster_from(components: Matrix, start: Start) -> Any:
    """A ``KMeans`` that begins with a release's centres, or keeps them where there is nothing to learn.

    A centre that is no row's nearest is left out, its segment ends: scikit-learn would begin another segment in its
    place, at the row farthest from its centre, or fail where rows are equal.

    k-means ends near a fixed point, not on it: begun again with its own result it would go a little further.
    """
    centres = start.centres[np.unique(nearest(components, start.centres))]
    kmeans = _fitted(components, centres)
    while len(kept := np.unique(kmeans.labels_)) < len(centres):  # a cluster lost its rows on the way
        centres = kmeans.cluster_centers_[kept]
        kmeans = _fitted(components, centres)
    if start.learned:
        kmeans.cluster_centers_ = centres
        kmeans.labels_ = kmeans.predict(components)
        kmeans.inertia_ = float(((components - centres[kmeans.labels_]) ** 2).sum())
    return kmeans


def _fitted(components: Matrix, centres: Matrix) -> Any:
    with warnings.catch_warnings():
        # Fewer clusters than centres are looked at by the caller.
        warnings.simplefilter("ignore", ConvergenceWarning)
        kmeans = KMeans(len(centres), init=centres, n_init=1, max_iter=300, random_state=SEED)
        return kmeans.fit(components)
