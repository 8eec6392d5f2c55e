"""The training users of a release on a later day, if nothing had happened since."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc
from msgspec import UnsetType

from schemas import times
from schemas.days import zone_of
from schemas.features import Feature
from schemas.release.model_release import ModelRelease
from trainer.steps.fit_settings import FitSettings


@dataclass(frozen=True, slots=True)
class SameFacts:
    """The features of windows on two days, both from the facts before the training of the release in use.

    Attributes:
        then: on the day of that training, with ``user_id``.
        later: on the later day, with ``user_id``.
    """

    then: pa.Table
    later: pa.Table


class Features(Protocol):
    """The methods of the warehouse that :func:`same_facts` uses."""

    def has(self, feature: Feature) -> bool: ...

    def features(
        self,
        as_of: datetime | None,
        exclude_statuses: tuple[str, ...],
        features: tuple[Feature, ...],
        *,
        day: date | None = None,
    ) -> pa.Table: ...


def same_facts(
    warehouse: Features, release: ModelRelease, settings: FitSettings, day: date | None
) -> SameFacts | None:
    """Read the features of windows from the facts before a release's training, on its day and on a later day.

    A release that was trained without a time takes the facts before its day.

    Args:
        warehouse: computes the features.
        release: the release whose training is over.
        settings: of the new training.
        day: the day of the new training; None if no feature reads the day.

    Returns:
        The features. None if the release has no window, if the days are the same or in the wrong order, if
        the warehouse lacks a feature, or if the new training counts other orders or days.
    """
    made = tuple(feature for feature in release.declared if feature.window is not None)
    trained, zone = release.training.day_read, release.time_zone
    if not made or day is None or trained is None or day <= trained:
        return None
    if not isinstance(zone, UnsetType) and zone != settings.time_zone:
        return None
    if set(release.exclude_statuses) != set(settings.exclude_statuses) or not all(map(warehouse.has, made)):
        return None
    as_of = release.training.as_of
    before = _first_moment(trained, settings.time_zone) if as_of is None else times.parse(as_of)
    then, later = (
        warehouse.features(before, settings.exclude_statuses, made, day=each) for each in (trained, day)
    )
    return SameFacts(then, later)


def on_day(
    release: ModelRelease, users: pa.Table, day: date | None, facts: SameFacts | None = None
) -> pa.Table | None:
    """The same facts on another day: days since a date grow by the days between, and windows lose orders.

    A window's value that the warehouse gives otherwise by now stays: the facts themselves were changed.

    Args:
        release: the release whose training users these are.
        users: its training users, with features by name.
        day: the other day; None if it is not known.
        facts: the features of windows on both days; None if they are not known.

    Returns:
        The users on that day. None if a day is not known, if the other day is earlier (facts would be missing
        then), or if the model has a window whose features are not known on that day.
    """
    trained = release.training.day_read
    if day is None or trained is None or day < trained:
        return None
    if day == trained:
        return users
    for feature in release.declared:
        if feature.window is not None:
            if facts is None:
                return None
            users = _replaced(users, feature.name, _in_window(users, feature.name, facts))
        elif feature.of_time:
            users = _replaced(users, feature.name, pc.add(users[feature.name], float((day - trained).days)))
    return users


def _in_window(users: pa.Table, name: str, facts: SameFacts) -> pa.ChunkedArray:
    """The values of a window on the later day; the values of the training where the facts were changed."""
    recorded = users[name]
    then, later = (_values_of(users, name, table) for table in (facts.then, facts.later))
    return pc.if_else(pc.fill_null(pc.equal(then, recorded), False), later, recorded)


def _values_of(users: pa.Table, name: str, table: pa.Table) -> pa.ChunkedArray:
    """The values of a column for these users, in their order; null for a user whom the table lacks."""
    places = pc.index_in(users["user_id"], value_set=table["user_id"].combine_chunks())
    return table[name].cast(users[name].type).take(places)


def _replaced(users: pa.Table, name: str, values: pa.ChunkedArray) -> pa.Table:
    return users.set_column(users.column_names.index(name), name, values)


def _first_moment(day: date, time_zone: str) -> datetime:
    return datetime.combine(day, time_of_day.min, zone_of(time_zone)).astimezone(UTC)
