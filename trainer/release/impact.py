"""The users that a release would move to another segment: by the model, by their behaviour, and by time.

The *model* moves a user if, with today's features, the current release and the new release give different
segments. *Behaviour* moves a user if the current release gives today's features another segment than the
features that it was trained on. Where features read the day, *time* moves a user if the current release gives
the same facts another segment on the new release's day, and behaviour is the rest of the way. The moves may
cancel each other.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Self

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import UNSET, Struct, UnsetType

from schemas.features import of_time
from schemas.release.model_release import ModelRelease
from trainer.controls.drift import Drift, drift_of
from trainer.release.current_release import Current
from trainer.release.same_facts_later import SameFacts, on_day
from trainer.steps.batch_scorer import score

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pair:
    """The number of users who go from one segment to another."""

    previous: int
    segment: int
    users: int


@dataclass(frozen=True, slots=True)
class Moves:
    """The users who change their segment.

    Attributes:
        users: the number of compared users.
        pairs: the pairs of different segments with at least one user; most users first, then by the
            segments' ids.
    """

    users: int
    pairs: tuple[Pair, ...]

    @property
    def moved(self) -> int:
        """The number of users who change their segment."""
        return sum(pair.users for pair in self.pairs)

    @property
    def share(self) -> float:
        """The share of the compared users who change their segment, 0 to 1."""
        return self.moved / self.users if self.users else 0.0


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure of the release in use and of the new release; None if a release does not have it."""

    name: str
    current: float | None
    new: float | None


@dataclass(frozen=True, slots=True)
class Impact:
    """The comparison of a new release with the release in use.

    Attributes:
        current: the version of the release in use.
        names: the names of the segments of both releases, by id.
        by_model: the moves of the new release's training users between the current release and the new
            release, with today's features. None if the current release needs features that are not available.
        by_behaviour: the moves of the training users of both releases under the current release, between the
            features that it was trained on and today's features. None if its training users are not
            available.
        by_time: the moves of the current release's training users under it, from its day to the day of
            today's features, if nothing had happened in between. None if unknown; then they are counted under
            ``by_behaviour``. Left out if no feature reads the day.
        metrics: the figures of both releases, by name.
    """

    current: str
    names: dict[int, str]
    by_model: Moves | None
    by_behaviour: Moves | None
    metrics: tuple[Metric, ...]
    by_time: Moves | UnsetType | None = UNSET

    def with_time_of(self, other: Self) -> Self:
        """This impact with time apart as in another impact, if that one has the same release in use."""
        if other.current != self.current or not isinstance(other.by_time, Moves):
            return self
        return replace(self, by_time=other.by_time, by_behaviour=other.by_behaviour)


class _ReportPart(Struct):
    impact: Impact | None
    drift: Drift | None


def impact_and_drift_in(report: bytes) -> tuple[Impact | None, Drift | None]:
    """Impact and drift, read from ``report.json``."""
    part = msgspec.json.decode(report, type=_ReportPart)
    return part.impact, part.drift


def compared(
    current: Current | None,
    release: ModelRelease,
    users: pa.Table,
    before: Ids | None,
    after: Ids,
    everybody: pa.Table,
    facts: SameFacts | None = None,
) -> tuple[Impact | None, Drift | None]:
    """Compare a release with the release in use, as far as the data allows.

    Args:
        current: the release in use; None for a first release.
        release: the new release.
        users: its training users, with ``user_id`` and features.
        before: each user's segment id under the release in use, today, shape (users,); None if unknown.
        after: each user's segment id under the new release, shape (users,).
        everybody: the training users, and the users left out for a value that a kept space does not know.
            Without these, no new value would ever count as drift.
        facts: the old facts on both days; None if they are not known, or if the release in use has no window.

    Returns:
        Impact and drift. Both are None without a release in use; drift is None without its training users.
    """
    if current is None:
        return None, None
    impact = impact_of(current, release, users, before, after, release.training.day_read, facts)
    if current.assignments is None:
        return impact, None
    names = [feature.name for feature in release.features if feature.name in current.assignments.column_names]
    return impact, drift_of(current.release.version, current.assignments, everybody, names)


def impact_of(
    current: Current,
    release: ModelRelease,
    users: pa.Table,
    before: Ids | None,
    after: Ids,
    day: date | None,
    facts: SameFacts | None = None,
) -> Impact:
    """The impact of a release.

    Args:
        current: the release in use.
        release: the new release.
        users: the training users of the new release, with ``user_id`` and features.
        before: each user's segment id under the release in use, today, shape (users,); None if unknown.
        after: each user's segment id under the new release, shape (users,).
        day: the day of the users' features; None if no feature reads the day.
        facts: as in :func:`compared`.
    """
    trained = current.assignments
    then = None if trained is None else np.asarray(trained["segment"], dtype=np.int64)
    by_time: Moves | UnsetType | None = UNSET
    if of_time((*current.release.declared, *release.declared)):
        later = None if trained is None else on_day(current.release, trained, day, facts)
        aged = None if later is None else score(current.release, later).segments
        by_time = None if then is None or aged is None else moves(then, aged)
        then = then if aged is None else aged
    named = (*current.release.segments, *release.segments)
    return Impact(
        current=current.release.version,
        names={segment.id: segment.name for segment in named},
        by_model=None if before is None else moves(before, after),
        by_behaviour=None
        if before is None or trained is None or then is None
        else _behaviour(trained["user_id"], then, users, before),
        metrics=tuple(metrics(current.release.metrics, release.metrics)),
        by_time=by_time,
    )


def _behaviour(trained: pa.ChunkedArray, then: Ids, users: pa.Table, today: Ids) -> Moves:
    """The moves under the release in use, from its training users' segments then to their segments today."""
    place = pc.index_in(users["user_id"], value_set=trained.combine_chunks())
    both = np.asarray(pc.is_valid(place), dtype=np.bool_)
    return moves(then[np.asarray(place.drop_null())], today[both])


def moves(before: Ids, after: Ids) -> Moves:
    """Count the users who change; both arguments have the segment ids of the same users, shape (users,)."""
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
    """Yield the figures of both releases, by name."""
    for name in sorted({*current, *new}):
        yield Metric(name, current.get(name), new.get(name))
