from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score
from threadpoolctl import threadpool_limits

from trainer.controls import evaluate
from trainer.controls.evaluate import RESAMPLES, KQuality, Search, elbow, judge, search
from trainer.steps.cluster import cluster


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As `fit` calls them; on a busy machine threads wait for one another."""
    with threadpool_limits(1):
        yield


CORNERS = np.array([[0.0, 0.0], [100.0, 0.0], [0.0, 100.0]])


def blobs(each: int = 30) -> np.ndarray:
    """Three clouds of radius 1 around three corners."""
    rng = np.random.default_rng(7)
    return np.repeat(CORNERS, each, axis=0) + rng.uniform(-1, 1, (3 * each, 2))


def test_the_curve_of_three_blobs_bends_at_three() -> None:
    found = search(blobs(), range(2, 11))
    assert [row.k for row in found.rows] == [2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert found.elbow == 3
    # Two of the three corners share a centre half way, 50 from each: 60 rows, 2,500 each.
    assert found.rows[0].sse == pytest.approx(60 * 2_500, rel=0.01)
    assert [row.sse for row in found.rows] == sorted([row.sse for row in found.rows], reverse=True)


def test_the_sse_by_hand() -> None:
    # Two centres, at 1 and at 11; each row is 1 away from its own.
    rows = np.array([[0.0], [2.0], [10.0], [12.0]])
    assert [row.sse for row in search(rows, [2, 4]).rows] == pytest.approx([4.0, 0.0])


def test_the_curve_ends_where_there_are_no_more_positions() -> None:
    rows = np.repeat(CORNERS, 5, axis=0)
    assert [row.k for row in search(rows, range(2, 11)).rows] == [2, 3]


@pytest.mark.parametrize(
    ("ks", "sse", "bends"),
    [
        # Below the line from (2, 100) to (6, 0), scaled: k=3 by 0.65, k=4 by 0.45, k=5 by 0.22.
        ((2, 3, 4, 5, 6), (100.0, 10.0, 5.0, 3.0, 0.0), 3),
        ((2, 3, 4, 5, 6), (100.0, 75.0, 50.0, 25.0, 0.0), None),
        ((2, 3, 4), (5.0, 5.0, 5.0), None),
        ((2, 3), (100.0, 1.0), None),
        ((), (), None),
    ],
)
def test_where_a_curve_bends(ks: tuple[int, ...], sse: tuple[float, ...], bends: int | None) -> None:
    assert elbow(ks, sse) == bends


def test_the_figures_are_scikit_learns() -> None:
    rows = blobs()
    kmeans = cluster(rows, 3)
    quality = judge(rows, kmeans)
    assert quality.sse == kmeans.inertia_
    assert quality.silhouette == pytest.approx(silhouette_score(rows, kmeans.labels_))
    assert quality.calinski_harabasz == pytest.approx(calinski_harabasz_score(rows, kmeans.labels_))
    assert quality.davies_bouldin == pytest.approx(davies_bouldin_score(rows, kmeans.labels_))


def test_clusters_that_are_there_are_stable_and_others_are_not() -> None:
    assert judge(blobs(), cluster(blobs(), 3)).stability == 1.0
    noise = np.random.default_rng(3).uniform(size=(90, 2))
    assert judge(noise, cluster(noise, 7)).stability < 0.9


def test_the_silhouette_of_a_sample_is_near_that_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(5).normal(size=(600, 2))
    kmeans = cluster(rows, 4)
    everything = judge(rows, kmeans).silhouette
    assert everything is not None
    monkeypatch.setattr(evaluate, "SILHOUETTE_ROWS", 200)
    sampled = judge(rows, kmeans).silhouette
    assert sampled == judge(rows, kmeans).silhouette != everything
    assert sampled == pytest.approx(everything, abs=0.05)


def test_as_many_clusters_as_rows_have_no_figures_for_their_shape() -> None:
    rows = np.array([[0.0], [1.0], [5.0]])
    quality = judge(rows, cluster(rows, 3))
    assert (quality.silhouette, quality.calinski_harabasz, quality.davies_bouldin) == (None, None, None)
    assert quality.sse == 0.0


def test_the_elbow_of_three_blobs_is_three_in_every_resample() -> None:
    assert search(blobs(), range(2, 11)).elbow_counts == {"3": RESAMPLES}


def test_a_curve_too_short_to_bend_has_no_elbow_in_any_resample() -> None:
    found = search(blobs(), [2, 3])
    assert (found.elbow, found.elbow_counts) == (None, {"none": RESAMPLES})


def test_the_elbows_of_noise_are_all_counted() -> None:
    noise = np.random.default_rng(4).normal(size=(200, 2))
    counts = search(noise, range(2, 11)).elbow_counts
    assert sum(counts.values()) == RESAMPLES
    assert len(counts) > 1


def test_the_figures_of_each_k_are_those_of_its_own_clusters() -> None:
    noise = np.random.default_rng(4).normal(size=(200, 2))
    found = search(noise, [2, 4, 6])
    assert found.rows == tuple(judge(noise, cluster(noise, k)) for k in (2, 4, 6))
    assert found.users == 200


def test_the_search_over_a_sample_extrapolates_the_sse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "SEARCH_ROWS", 150)
    found = search(blobs(100), [2, 3, 4])
    assert found.users == 150
    # As above, 200 rows are 50 away from a centre: not half of that, for half of the rows.
    assert found.rows[0].sse == pytest.approx(200 * 2_500, rel=0.15)


def test_every_silhouette_is_over_the_same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where k is searched over a sample: two blobs are the same two clusters in any."""
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(300, 2)) + 50 * rng.integers(0, 2, (300, 1))
    monkeypatch.setattr(evaluate, "SILHOUETTE_ROWS", 40)
    monkeypatch.setattr(evaluate, "SEARCH_ROWS", 100)
    (row,) = search(rows, [2]).rows
    assert row.silhouette == judge(rows, cluster(rows, 2)).silhouette


def test_the_figures_name_their_highest_k() -> None:
    """To three decimals, and of equal ones the smallest; those of the clusters in use count."""
    rows = tuple(
        KQuality(k, 10.0 / k, silhouette, None, None, stability)
        for k, silhouette, stability in ((2, 0.5, 0.9), (3, 0.50049, 0.8), (4, None, 0.95))
    )
    found = Search(rows, 3, {}, 100).with_used(replace(rows[1], stability=0.99))
    assert (found.highest_silhouette, found.highest_stability) == (2, 3)
    assert found.rows[1].stability == 0.99
