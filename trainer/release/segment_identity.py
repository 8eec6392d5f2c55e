"""Which segment each new cluster is: the one that it shares its users with, or a new one.

Ids are for ever: one that was given is never used again for another segment, also when its segment is gone. A
segment that lives on keeps its name, too. Users who do not move get no new record, so that a segment
renamed would go by two names in what was told of its users, and in the rules of those who read it.
"""

from collections.abc import Iterable, Sequence
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
    """The segments' ids, by cluster; ``next_segment`` and ``continues`` as in a ``ModelRelease``."""

    ids: tuple[int, ...]
    next_segment: int
    continues: str | None


def first(clusters: int) -> Identity:
    """The segments of a first release."""
    return Identity(tuple(range(clusters)), clusters, None)


def identify(
    release: ModelRelease, next_segment: int, before: Ids | None, labels: Labels, clusters: int
) -> Identity:
    """The segments of a release that follows another one.

    Args:
        release: the one in use.
        next_segment: above every id that was given so far.
        before: the segment that the release in use gives each training user; None where it cannot tell, and
            then every segment is a new one.
        labels: the cluster of each training user.
        clusters: how many there are.
    """
    matched = {} if before is None else _matched(release, before, labels, clusters)
    ids: list[int] = []
    for cluster in range(clusters):
        ids.append(matched.get(cluster, next_segment))
        next_segment = max(next_segment, ids[-1] + 1)
    return Identity(tuple(ids), next_segment, release.version)


def kept_names(release: ModelRelease, identity: Identity, made: Sequence[str]) -> list[str]:
    """The names by cluster: its segment's, or the one made for it where the segment is new."""
    names = {segment.id: segment.name for segment in release.segments}
    taken = {names[id_] for id_ in identity.ids if id_ in names}
    told = []
    for id_, name in zip(identity.ids, made, strict=True):
        told.append(names[id_] if id_ in names else _unused(name, taken))
        taken.add(told[-1])
    return told


def _matched(release: ModelRelease, before: Ids, labels: Labels, clusters: int) -> dict[int, int]:
    """The segment of each cluster that has one: the assignment with the most users in common."""
    ids = [segment.id for segment in release.segments]
    common = jaccard(before, ids, labels, clusters)
    pairs = zip(*linear_sum_assignment(common, maximize=True), strict=True)
    return {int(cluster): ids[row] for row, cluster in pairs if common[row, cluster] >= LEAST_JACCARD}


def jaccard(before: Ids, ids: Sequence[int], labels: Labels, clusters: int) -> npt.NDArray[np.float64]:
    """Users in both over users in either (Jaccard 1901), shape (ids, clusters); 0 where nobody is in either."""
    both = np.array([np.bincount(labels[before == id_], minlength=clusters) for id_ in ids])
    either = both.sum(axis=1, keepdims=True) + np.bincount(labels, minlength=clusters) - both
    return np.asarray(both / np.maximum(either, 1))


def _unused(name: str, taken: Iterable[str]) -> str:
    number, told = 2, name
    while told in taken:
        told, number = f"{name} ({number})", number + 1
    return told
