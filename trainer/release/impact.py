"""Whom a release would move: by the model, and by what the users did meanwhile, apart.

For a user with today's features, the *model* moves the user when the current release and the new one give
different segments. The user's *behaviour* moves the user when the current release gives another segment for
today's features than for those that it was trained on. The two may undo each other.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from schemas.release.model_release import ModelRelease
from trainer.controls.drift import Drift, drift_of
from trainer.release.current_release import Current

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pair:
    """Users who go from one segment to another."""

    previous: int
    segment: int
    users: int


@dataclass(frozen=True, slots=True)
class Moves:
    """Who goes where.

    Attributes:
        users: how many were compared.
        pairs: the pairs of different segments with at least one user, those with most users first, then
            by the segments' ids.
    """

    users: int
    pairs: tuple[Pair, ...]

    @property
    def moved(self) -> int:
        """How many users change their segment."""
        return sum(pair.users for pair in self.pairs)

    @property
    def share(self) -> float:
        """The share of the compared users who change their segment, 0 to 1."""
        return self.moved / self.users if self.users else 0.0


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure of the release in use and of the new one; None where one has none."""

    name: str
    current: float | None
    new: float | None


@dataclass(frozen=True, slots=True)
class Impact:
    """What becomes of the users of the release in use.

    Attributes:
        current: the version of the release in use.
        names: the segments' names by id, of both releases.
        by_model: of the new release's training users: today's features, the current release and the new one.
            None where the current release takes features that are not at hand.
        by_behaviour: of the training users of both releases: the current release, the features that it was
            trained on and today's. None where its training users are not at hand.
        metrics: of both releases, by name.
    """

    current: str
    names: dict[int, str]
    by_model: Moves | None
    by_behaviour: Moves | None
    metrics: tuple[Metric, ...]


class _Told(Struct):
    impact: Impact | None
    drift: Drift | None


def told_in(report: bytes) -> tuple[Impact | None, Drift | None]:
    """Impact and drift as ``report.json`` has them."""
    told = msgspec.json.decode(report, type=_Told)
    return told.impact, told.drift


def compared(
    current: Current | None,
    release: ModelRelease,
    users: pa.Table,
    before: Ids | None,
    after: Ids,
    everybody: pa.Table,
) -> tuple[Impact | None, Drift | None]:
    """Impact and drift of a release against the one in use, as far as they can be told.

    Args:
        current: the release in use; None where there is none.
        release: the new one.
        users: its training users, with ``user_id`` and features.
        before: the segment that the release in use gives each of them today; None where it cannot.
        after: the segment that the new one gives.
        everybody: the training users, and those who were left out for a value that a kept space does not know:
            without these no new value would ever count as drift.
    """
    if current is None:
        return None, None
    impact = impact_of(current, release, users, before, after)
    if current.assignments is None:
        return impact, None
    names = [feature.name for feature in release.features if feature.name in current.assignments.column_names]
    return impact, drift_of(current.release.version, current.assignments, everybody, names)


def impact_of(
    current: Current, release: ModelRelease, users: pa.Table, before: Ids | None, after: Ids
) -> Impact:
    """The impact of a release; the arguments are those of :func:`compared`."""
    named = (*current.release.segments, *release.segments)
    return Impact(
        current=current.release.version,
        names={segment.id: segment.name for segment in named},
        by_model=None if before is None else moves(before, after),
        by_behaviour=None
        if before is None or current.assignments is None
        else _behaviour(current.assignments, users, before),
        metrics=tuple(metrics(current.release.metrics, release.metrics)),
    )


def _behaviour(trained: pa.Table, users: pa.Table, today: Ids) -> Moves:
    """Where the release in use has its own training users, and where it would have them today."""
    place = pc.index_in(users["user_id"], value_set=trained["user_id"].combine_chunks())
    both = np.asarray(pc.is_valid(place), dtype=np.bool_)
    then = np.asarray(trained["segment"])[np.asarray(place.drop_null())]
    return moves(then, today[both])


def moves(before: Ids, after: Ids) -> Moves:
    """Count who goes where; shape of both: (users,), segments' ids, row by row the same users."""
    differing = before != after
    found, counts = np.unique(
        np.column_stack([before[differing], after[differing]]), axis=0, return_counts=True
    )
    pairs = [
        Pair(int(one), int(other), int(count)) for (one, other), count in zip(found, counts, strict=True)
    ]
    return Moves(
        len(before), tuple(sorted(pairs, key=lambda pair: (-pair.users, pair.previous, pair.segment)))
    )


def metrics(current: Mapping[str, float], new: Mapping[str, float]) -> Iterator[Metric]:
    """The figures of both, by name."""
    for name in sorted({*current, *new}):
        yield Metric(name, current.get(name), new.get(name))
