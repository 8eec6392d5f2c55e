"""Which users a fit learns from: those with at least one order and no missing value, by user id."""

from dataclasses import dataclass, field
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from schemas.counted import counted
from schemas.errors import BadTraining
from trainer.steps.fit_settings import FitSettings
from trainer.steps.untrained import reasons


class NobodyTrains(BadTraining):
    """Not one user is left."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The training rows, and what became of the other users.

    Attributes:
        rows: ``user_id`` and the model's features, in the order of ``user_id``'s UTF-8 bytes.
        users_read: users in the warehouse.
        without_orders: of these, users with no counted order.
        missing: of the users with an order, how many lack each of the model's features.
        nulls: of all users read, how many lack each feature of the table.
        unseen: where a release is continued, how many users were left out for a value of this feature that its
            space does not know; one with two such values is counted twice.
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
    """The rows to learn from (k-means depends on their order).

    Args:
        table: ``user_id``, the article's seven features and the model's, a row for each user.
        space_kept: whether the space is a release's, in which a feature need not vary.

    Raises:
        BadTraining: nobody is left, or fewer users than segments; where the space is learned, a feature never
            varies, or fewer different users than segments.
    """
    absent = {name: _is_missing(table[name]) for name in table.column_names if name != "user_id"}
    nulls = {name: _count(mask) for name, mask in absent.items()}
    buys = pc.fill_null(pc.greater(table["total_orders"], 0), False)
    missing = {name: _count(pc.and_(buys, absent[name])) for name in settings.names}
    selection = Selection(
        rows=complete(table, settings.names),
        users_read=table.num_rows,
        without_orders=table.num_rows - _count(buys),
        missing=missing,
        nulls=nulls,
    )
    _check_enough(selection, settings)
    if not space_kept:
        _check_varied(selection, settings)
    return selection


def complete(table: pa.Table, names: tuple[str, ...]) -> pa.Table:
    """``user_id`` and these features of the users with an order and all of them, by ``user_id``."""
    buys = pc.fill_null(pc.greater(table["total_orders"], 0), False)
    whole = reduce(pc.and_not, (_is_missing(table[name]) for name in names), buys)
    return table.select(["user_id", *names]).filter(whole).sort_by("user_id").combine_chunks()


def distinct(rows: pa.Table, features: tuple[str, ...]) -> int:
    """How many different rows of features there are."""
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
        raise BadTraining(
            f"only {counted(used, 'user')} can be trained on, of {selection.users_read:,} read, and {needed} segments "
            f"need at least {needed}: {_dropped(selection)}"
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
    """Where the users went, in words with numbers."""
    return ", ".join(reasons(selection.without_orders, selection.missing, {})) or "none was dropped"


def _listed(names: list[str]) -> str:
    if len(names) == 1:
        return f"feature {names[0]} is"
    return f"features {', '.join(names[:-1])} and {names[-1]} are"
