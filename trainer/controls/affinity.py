"""How often similar users have the same values, compared with random users.

A change on Kafka names similar users: the nearest by cosine similarity of components, without the user; if
equal, the smaller user id first. Cosine similarity ignores magnitude, so similar users may have little in
common. This module measures how much they have in common.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.features import Feature
from trainer.controls.evaluate import Labels
from trainer.steps.encode import Matrix

SEED = 777
USERS = 500
SIMILAR = 5

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Alike:
    """How often two users have the same value of a feature, 0 to 1: a drawn user and another user.

    Attributes:
        similar: the other is a similar user.
        segment: the other is a random user of the same segment.
        everybody: the other is a random user.
        difference: ``similar - segment``.
        margin: half of the 95% interval of the difference (normal, over the sampled users).
    """

    feature: str
    similar: float
    segment: float
    everybody: float
    difference: float
    margin: float


@dataclass(frozen=True, slots=True)
class Affinity:
    """The comparison of ``users`` drawn training users, each with ``similar`` others of each group."""

    users: int
    similar: int
    features: tuple[Alike, ...]


def affinity_of(
    rows: pa.Table, components: Matrix, labels: Labels, features: Sequence[Feature]
) -> Affinity | None:
    """Compare a seeded sample of users with similar and random users.

    Args:
        rows: the training rows in the order of the user ids, with the features by name.
        components: shape (rows, components).
        labels: the segment of each row, shape (rows,).
        features: the model's inputs; only texts are compared.

    Returns:
        The comparison; None if no segment has more than SIMILAR users, or if no feature is a text.
    """
    texts = [feature.name for feature in features if not feature.numeric]
    sizes = np.bincount(labels)
    known = np.flatnonzero((np.linalg.norm(components, axis=1) > 0) & (sizes[labels] > SIMILAR))
    if not texts or len(known) <= SIMILAR:
        return None
    rng = np.random.default_rng(SEED)
    chosen = np.sort(rng.choice(known, min(USERS, len(known)), replace=False))
    members = [np.flatnonzero(labels == segment) for segment in range(len(sizes))]
    everybody = np.arange(len(labels))
    sorts = (
        similar_to(components, chosen, SIMILAR),
        np.array([_others(members[labels[place]], place, rng) for place in chosen]),
        np.array([_others(everybody, place, rng) for place in chosen]),
    )
    found = []
    for name in texts:
        codes = rows[name].combine_chunks().dictionary_encode().indices.to_numpy()
        similar, segment, anybody = (
            (codes[others] == codes[chosen][:, None]).mean(axis=1) for others in sorts
        )
        differences = similar - segment
        margin = 1.96 * differences.std(ddof=1) / np.sqrt(len(chosen)) if len(chosen) > 1 else np.nan
        found.append(
            Alike(
                name,
                float(similar.mean()),
                float(segment.mean()),
                float(anybody.mean()),
                float(differences.mean()),
                float(margin) if np.isfinite(margin) else 1.0,
            )
        )
    return Affinity(len(chosen), SIMILAR, tuple(found))


def similar_to(components: Matrix, chosen: Places, count: int) -> Places:
    """The row indices of the nearest others by cosine similarity, shape (chosen, count).

    Rows at the origin have no direction and are never neighbours. In two dimensions the angle between two
    rows gives the same order as cosine similarity. The angle is exact where the cosine, near 1, is not.

    Args:
        components: shape (rows, components); more than ``count`` rows are not at the origin.
        chosen: the row indices to search for, none at the origin.
        count: the number of neighbours of each.
    """
    known = np.flatnonzero(np.linalg.norm(components, axis=1) > 0)
    if components.shape[1] == 2:
        angles = np.arctan2(components[:, 1], components[:, 0])
        order = known[np.argsort(angles[known], kind="stable")]
        return np.array([_by_angle(angles, order, place, count) for place in chosen])
    directions = components[known] / np.linalg.norm(components[known], axis=1)[:, None]
    found = []
    for place in chosen:
        own = components[place] / np.linalg.norm(components[place])
        away = -np.einsum("ij,j->i", directions, own)  # not `@`, whose digits depend on the number of threads
        found.append(_nearest(known, away, place, count))
    return np.array(found)


def _by_angle(angles: npt.NDArray[np.float64], order: Places, place: int, count: int) -> Places:
    """The ``count`` nearest rows by angle.

    Looks at a window of rows on both sides, then at all rows as near as the farthest of them.

    Args:
        angles: the angle of each row.
        order: the indices of rows that have an angle, sorted by angle.
        place: the row's own index.
        count: the number of neighbours.
    """
    own, ranked = angles[place], angles[order]
    middle = int(np.searchsorted(ranked, own))
    window = order[np.arange(middle - count - 1, middle + count + 1) % len(order)]
    window = np.unique(window[window != place])
    reach = np.sort(_between(angles[window], own))[count - 1] + 1e-9
    near = [
        order[
            np.searchsorted(ranked, own + turn - reach) : np.searchsorted(ranked, own + turn + reach, "right")
        ]
        for turn in (-2 * np.pi, 0.0, 2 * np.pi)
    ]
    candidates = np.unique(np.concatenate(near))
    return _nearest(candidates, _between(angles[candidates], own), place, count)


def _between(angles: npt.NDArray[np.float64], own: float) -> npt.NDArray[np.float64]:
    apart = np.abs(angles - own)
    return np.asarray(np.minimum(apart, 2 * np.pi - apart))


def _nearest(candidates: Places, away: npt.NDArray[np.float64], place: int, count: int) -> Places:
    """The ``count`` nearest candidates without ``place``; of equally near rows the smaller index first."""
    others = candidates != place
    candidates, away = candidates[others], away[others]
    worst = np.partition(away, count - 1)[count - 1]
    within = away <= worst
    candidates, away = candidates[within], away[within]
    return np.asarray(candidates[np.lexsort((candidates, away))][:count])


def _others(members: Places, place: int, rng: np.random.Generator) -> Places:
    """SIMILAR different random members without ``place``; ``members`` is ascending and contains ``place``."""
    drawn = rng.choice(len(members) - 1, SIMILAR, replace=False)
    own = int(np.searchsorted(members, place))
    return np.asarray(members[drawn + (drawn >= own)])
