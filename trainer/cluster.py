"""The one way in which we run k-means: the article's settings and seed."""

from typing import Any

from sklearn.cluster import KMeans

from trainer.encode import Matrix

SEED = 222


def cluster(components: Matrix, k: int) -> Any:
    """A fitted ``KMeans``; components: shape (rows, components)."""
    return KMeans(k, init="k-means++", n_init=10, max_iter=300, random_state=SEED).fit(components)
