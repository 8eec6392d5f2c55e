"""The two ways in which we run k-means: the article's, and from the centres of a release that is continued."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sklearn.cluster import KMeans

from trainer.encode import Matrix

if TYPE_CHECKING:
    from trainer.stable import Start

SEED = 222


def cluster(components: Matrix, k: int) -> Any:
    """A fitted ``KMeans`` with the article's settings and seed; components: shape (rows, components)."""
    return KMeans(k, init="k-means++", n_init=10, max_iter=300, random_state=SEED).fit(components)


def cluster_from(components: Matrix, start: Start) -> Any:
    """A ``KMeans`` that begins with a release's centres, or keeps them where there is nothing to learn.

    k-means ends near a fixed point, not on it: begun again with its own result it would go a little further.
    """
    kmeans = KMeans(len(start.centres), init=start.centres, n_init=1, max_iter=300, random_state=SEED)
    kmeans.fit(components)
    if start.learned:
        kmeans.cluster_centers_ = start.centres
        kmeans.labels_ = kmeans.predict(components)
        kmeans.inertia_ = float(((components - start.centres[kmeans.labels_]) ** 2).sum())
    return kmeans
