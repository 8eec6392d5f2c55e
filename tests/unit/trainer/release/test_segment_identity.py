from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from schemas.release.model_release import ModelRelease, Segment
from tests.support.worlds.made_up_release import a_release
from trainer.release.segment_identity import Identity, first, identify, jaccard, kept_names


def release(**names: int) -> ModelRelease:
    """A release with these segments, in this order."""
    return replace(
        a_release(),
        version="current",
        segments=tuple(Segment(id_, name, (0.0, 0.0), 1) for name, id_ in names.items()),
    )


def test_a_first_release_counts_from_zero() -> None:
    assert first(3) == Identity((0, 1, 2), 3, None)


def test_the_jaccard_index_by_hand() -> None:
    # Segment 4 has users 1, 2, 3, segment 9 users 4, 5; cluster 0 has 1, 2, 5 and cluster 1 has 3, 4.
    found = jaccard(np.array([4, 4, 4, 9, 9]), [4, 9, 7], np.array([0, 0, 1, 1, 0]), 2)
    assert found.tolist() == [[2 / 4, 1 / 4], [1 / 4, 1 / 3], [0, 0]]


def test_ids_follow_the_users_and_not_the_order_of_clusters() -> None:
    before = np.array([7, 7, 7, 3, 3, 3])
    labels = np.array([1, 1, 1, 0, 0, 1])
    # Segment 7 and cluster 1 share 3 of 4 users, segment 3 and cluster 0 share 2 of 3.
    assert identify(release(a=7, b=3), 8, before, labels, 2) == Identity((3, 7), 8, "current")


def test_what_shares_less_than_half_gets_a_new_id() -> None:
    before = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    # Cluster 0 is segment 0 but for one; cluster 1 has one user of each segment and cluster 2 three of four.
    labels = np.array([0, 0, 0, 1, 1, 2, 2, 2])
    assert identify(release(a=0, b=1), 12, before, labels, 3) == Identity((0, 12, 1), 13, "current")
    # Each cluster has half of each segment, 2 of 6 users in either.
    halves = np.array([0, 0, 1, 1, 0, 0, 1, 1])
    assert identify(release(a=0, b=1), 12, before, halves, 2) == Identity((12, 13), 14, "current")
    # 1 of 2 is half, and enough.
    assert identify(release(a=0), 5, np.array([0, 0]), np.array([0, 1]), 2).ids == (0, 5)


def test_two_clusters_never_have_one_id() -> None:
    before = np.zeros(100, dtype=np.int64)
    labels = np.repeat([0, 1], 50)
    assert sorted(identify(release(a=0, b=1), 2, before, labels, 2).ids) == [0, 2]


def test_all_are_new_where_the_current_release_cannot_tell() -> None:
    found = identify(release(a=0, b=1), 9, None, np.array([0, 1]), 2)
    assert found == Identity((9, 10), 11, "current")


def test_a_segment_that_lives_on_keeps_its_name() -> None:
    current = release(a=0, b=1)
    assert kept_names(current, Identity((1, 5, 0), 9, "current")) == {0: "b", 2: "a"}
    assert kept_names(current, Identity((5, 6), 9, "current")) == {}
