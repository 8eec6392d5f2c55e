"""Selects the users that a fit learns from: those with an order and no missing value, by user id."""

from dataclasses import dataclass, field
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from schemas.counted import counted
from schemas.errors import BadTraining
from schemas.features import Feature
from trainer.steps.fit_settings import FitSettings
from trainer.steps.untrained import reasons


class NobodyTrains(BadTraining):
    """No user is left to train on."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The training rows, and why the other users were left out.

    Attributes:
        rows: ``user_id`` and the model's features, in the order of ``user_id``'s UTF-8 bytes.
        users_read: the number of users in the warehouse.
        without_orders: the number of users without a counted order.
        missing: the number of users with an order who lack a feature of the model, by feature. A number below
            0 counts here, if the model reads its logarithm.
        nulls: the number of users in the warehouse who lack a feature of the model, by feature.
        unseen: the number of users left out because the continued release's space does not know their value,
            by feature. A user with two such values is counted twice.
    """

    rows: pa.Table
    users_read: int
    without_orders: int
    missing: dict[str, int]
    nulls: dict[str, int]
    unseen: dict[str, int] = field(default_factory=dict)

    @property
    def users_used(self) -> int:
        return int(self.rows.num_rows)


def select(table: pa.Table, settings: FitSettings, *, space_kept: bool = False) -> Selection:
    """Select the rows to learn from, in a fixed order (k-means depends on the order).

    Args:
        table: ``user_id``, the seven default features and the model's, one row for each user.
        settings: the settings of the fit.
        space_kept: whether the space of a release is kept; a feature may then be constant.

    Raises:
        BadTraining: no user is left, or fewer users than segments. If the space is learned: a feature is
            constant, or there are fewer different users than segments.
    """
    nulls = {name: _count(_is_missing(table[name])) for name in settings.names}
    buys = pc.fill_null(pc.greater(table["total_orders"], 0), False)
    missing = {each.name: _count(pc.and_(buys, lacks(table, each))) for each in settings.features}
    selection = Selection(
        rows=complete(table, settings.features),
        users_read=table.num_rows,
        without_orders=table.num_rows - _count(buys),
        missing=missing,
        nulls=nulls,
    )
    _check_enough(selection, settings)
    if not space_kept:
        _check_varied(selection, settings)
    return selection


def complete(table: pa.Table, features: tuple[Feature, ...]) -> pa.Table:
    """The users with an order and without a missing value: ``user_id`` and these features, by ``user_id``."""
    buys = pc.fill_null(pc.greater(table["total_orders"], 0), False)
    whole = reduce(pc.and_not, (lacks(table, feature) for feature in features), buys)
    return (
        table.select(["user_id", *(feature.name for feature in features)])
        .filter(whole)
        .sort_by("user_id")
        .combine_chunks()
    )


def lacks(table: pa.Table, feature: Feature) -> pa.ChunkedArray:
    """Whether each user lacks a value that the model can read; without nulls."""
    absent = _is_missing(table[feature.name])
    if not feature.log:
        return absent
    return pc.or_(absent, pc.fill_null(pc.less(table[feature.name], 0), False))


def distinct(rows: pa.Table, features: tuple[str, ...]) -> int:
    """The number of different rows of features."""
    return int(rows.group_by(list(features)).aggregate([]).num_rows)


def _is_missing(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.is_null(column, nan_is_null=True)


def _count(mask: pa.ChunkedArray) -> int:
    return pc.sum(mask).as_py() or 0


def _check_enough(selection: Selection, settings: FitSettings) -> None:
    used, needed = selection.users_used, settings.k or settings.k_min
    if used == 0:
        raise NobodyTrains(_nobody(selection))
    if used < needed:
        fix = f"set k to {used} or less" if used > 1 else "train when there are more"
        raise BadTraining(
            f"only {counted(used, 'user')} can be trained on, of {selection.users_read:,} read, and {needed} "
            f"segments need at least {needed} ({_dropped(selection)}): {fix}"
        )


def _check_varied(selection: Selection, settings: FitSettings) -> None:
    used, needed = selection.users_used, settings.k or settings.k_min
    for name in settings.names:
        values = pc.unique(selection.rows[name])
        if len(values) == 1:
            raise BadTraining(
                f"feature {name} is {values[0].as_py()!r} for all {used:,} training users: "
                f"a feature that never varies cannot be scaled, leave it out of the setting features"
            )
    different = distinct(selection.rows, settings.names)
    if different < needed:
        raise BadTraining(
            f"the {used:,} training users have only {different} different rows of features, and {needed} "
            f"segments need at least {needed}: set k to {different} or less, or add features"
        )


def _nobody(selection: Selection) -> str:
    read = selection.users_read
    if read == 0:
        return "no user can be trained on: the warehouse has no users"
    empty = [name for name in selection.missing if selection.nulls[name] == read]
    if empty and selection.without_orders < read:
        return (
            f"no user can be trained on: {_listed(empty)} null for all {read:,} users read, fill that in "
            "the warehouse or leave it out of the setting features"
        )
    return f"no user can be trained on, of {read:,} read: {_dropped(selection)}"


def _dropped(selection: Selection) -> str:
    """The reasons why users were left out, with numbers."""
    return ", ".join(reasons(selection.without_orders, selection.missing, {})) or "none was dropped"


def _listed(names: list[str]) -> str:
    if len(names) == 1:
        return f"feature {names[0]} is"
    return f"features {', '.join(names[:-1])} and {names[-1]} are"
