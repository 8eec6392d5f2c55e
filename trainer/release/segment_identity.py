"""Gives each new cluster a segment: the current segment with which it shares most users, or a new segment.

An id is never given to another segment, even if its segment no longer exists. A segment that continues keeps
its name, too: users who do not move get no new record, so after a rename the records of one segment would
have two names, and so would the rules of their readers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from schemas.release.model_release import ModelRelease
from trainer.controls.evaluate import Labels
from trainer.release.impact import Ids

LEAST_JACCARD = 0.5


@dataclass(frozen=True, slots=True)
class Identity:
    """The segment id of each cluster; ``next_segment`` and ``continues`` are those of a ``ModelRelease``."""

    ids: tuple[int, ...]
    next_segment: int
    continues: str | None


def first(clusters: int) -> Identity:
    """The identity of a first release: ids 0, 1, 2…"""
    return Identity(tuple(range(clusters)), clusters, None)


def identify(
    release: ModelRelease, next_segment: int, before: Ids | None, labels: Labels, clusters: int
) -> Identity:
    """Give each cluster of a following release a segment id.

    Args:
        release: the release in use.
        next_segment: above all ids given so far.
        before: each training user's segment id under the release in use, shape (users,). None if unknown;
            then every segment is new.
        labels: the cluster of each training user, shape (users,).
        clusters: the number of clusters.

    Returns:
        The ids by cluster, and the next free id.
    """
    matched = {} if before is None else _matched(release, before, labels, clusters)
    ids: list[int] = []
    for cluster in range(clusters):
        ids.append(matched.get(cluster, next_segment))
        next_segment = max(next_segment, ids[-1] + 1)
    return Identity(tuple(ids), next_segment, release.version)


def kept_names(release: ModelRelease, identity: Identity) -> dict[int, str]:
    """The names that stay, by cluster; a cluster with a new segment has no name yet."""
    names = {segment.id: segment.name for segment in release.segments}
    return {cluster: names[id_] for cluster, id_ in enumerate(identity.ids) if id_ in names}


def _matched(release: ModelRelease, before: Ids, labels: Labels, clusters: int) -> dict[int, int]:
    """The current segment of each cluster that continues one: the assignment with the largest overlap of
    users.
    """
    ids = [segment.id for segment in release.segments]
    common = jaccard(before, ids, labels, clusters)
    pairs = zip(*linear_sum_assignment(common, maximize=True), strict=True)
    return {int(cluster): ids[row] for row, cluster in pairs if common[row, cluster] >= LEAST_JACCARD}


def jaccard(before: Ids, ids: Sequence[int], labels: Labels, clusters: int) -> npt.NDArray[np.float64]:
    """The overlap of segments and clusters: users in both divided by users in either (Jaccard 1901).

    Args:
        before: each user's segment id, shape (users,).
        ids: the segment ids to compare.
        labels: each user's cluster, shape (users,).
        clusters: the number of clusters.

    Returns:
        Shape (ids, clusters); 0 for two empty groups.
    """
    both = np.array([np.bincount(labels[before == id_], minlength=clusters) for id_ in ids])
    either = both.sum(axis=1, keepdims=True) + np.bincount(labels, minlength=clusters) - both
    return np.asarray(both / np.maximum(either, 1))
