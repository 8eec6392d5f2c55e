from __future__ import annotations

import numpy as np
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from tests.support.worlds.made_up_release import a_release
from trainer.steps.cluster import cluster, cluster_from
from trainer.steps.continued_fit import Start
from trainer.steps.encode import FeatureEncoder

# Two pairs of points; k-means ends in their middles, (0, 1) and (10, 1).
POINTS = np.array([[0.0, 0.0], [0.0, 2.0], [10.0, 0.0], [10.0, 2.0]])


def start(centres: list[list[float]], *, learned: bool) -> Start:
    return Start(FeatureEncoder(), StandardScaler(), PCA(), a_release(), np.array(centres), learned)


def test_the_clusters_keep_the_order_of_the_centres_that_they_began_with() -> None:
    for centres in ([[1.0, 0.0], [9.0, 0.0]], [[9.0, 0.0], [1.0, 0.0]]):
        found = cluster_from(POINTS, start(centres, learned=False))
        expected = [[0, 1], [10, 1]] if centres[0][0] == 1 else [[10, 1], [0, 1]]
        np.testing.assert_allclose(found.cluster_centers_, expected)
        assert found.inertia_ == 4.0


def test_where_there_is_nothing_to_learn_the_centres_stay() -> None:
    """Though another step of k-means would move them."""
    found = cluster_from(POINTS, start([[1.0, 0.0], [9.0, 0.0]], learned=True))
    assert found.cluster_centers_.tolist() == [[1, 0], [9, 0]]
    assert found.labels_.tolist() == found.predict(POINTS).tolist() == [0, 0, 1, 1]
    # 1, 1 + 4, 1, 1 + 4.
    assert found.inertia_ == 12.0


def test_a_result_of_k_means_is_not_always_where_it_would_stay() -> None:
    """Which is why a retrain on the same rows keeps its centres: the article's tolerance ends it before."""
    points = np.random.default_rng(3).normal(size=(5_000, 2))
    ended = cluster(points, 5)
    again = cluster_from(points, start(ended.cluster_centers_.tolist(), learned=False))
    assert (again.labels_ != ended.labels_).any()
    kept = cluster_from(points, start(ended.cluster_centers_.tolist(), learned=True))
    assert (kept.labels_ == ended.labels_).all()


def test_a_centre_that_lost_its_rows_ends_and_none_is_begun_in_its_place() -> None:
    for learned in (False, True):
        found = cluster_from(POINTS, start([[0.0, 0.0], [50.0, 50.0], [10.0, 1.0]], learned=learned))
        assert found.n_clusters == len(found.cluster_centers_) == 2
        assert found.labels_.tolist() == found.predict(POINTS).tolist() == [0, 0, 1, 1]


def test_fewer_different_rows_than_centres() -> None:
    rows = np.repeat([[0.0, 0.0], [10.0, 0.0]], 3, axis=0)
    found = cluster_from(rows, start([[0.0, 1.0], [0.0, -1.5], [10.0, 0.0], [11.0, 0.0]], learned=False))
    assert found.cluster_centers_.tolist() == [[0, 0], [10, 0]]
