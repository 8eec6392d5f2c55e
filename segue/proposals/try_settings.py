"""Tries settings on a warehouse: how many rows are read, and which are left out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from schemas.features import FEATURES, Feature
from segue.config.settings import Settings
from segue.config.trainer_extra import installed, open_warehouse

_ORDERS = next(feature for feature in FEATURES if feature.name == "total_orders")


@dataclass(frozen=True, slots=True)
class Tried:
    """What settings read of a warehouse.

    Attributes:
        users: how many users there are.
        orders: how many orders.
        items: how many items of orders.
        buyers: how many users have an order.
        trainable: how many of them have a value of every feature.
        different: how many different rows of features these have.
        missing: by feature, how many of them have no value of it; without zeros.
        constant: the features with one value for all who can be trained on.
        rejected: how many rows were left out, by (table, reason).
        notes: sentences about them, and about what else was seen.
    """

    users: int
    orders: int
    items: int
    buyers: int
    trainable: int
    different: int
    missing: dict[str, int]
    constant: tuple[str, ...]
    rejected: dict[tuple[str, str], int]
    notes: tuple[str, ...]


def try_settings(warehouse: str, settings: Settings, now: datetime) -> Tried:
    """Open a warehouse as ``train`` does, and count.

    Args:
        warehouse: a folder, a DuckDB file or a database URL.
        settings: the settings to try.
        now: the current time, as for ``train``.

    Raises:
        BadWarehouse: the warehouse does not fit the settings.
        BadSetting: a setting names what the warehouse does not have.
        NotInstalled: the trainer's packages are not installed.
    """
    with installed():
        import pyarrow.compute as pc  # noqa: PLC0415 - heavy, and not everywhere

        from trainer.steps.training_rows import complete, distinct, lacks  # noqa: PLC0415 - as above
    features: tuple[Feature, ...] = settings.model_features
    names = tuple(feature.name for feature in features)
    with open_warehouse(warehouse, settings, now) as shop:
        counts = shop.counts()
        read = features if _ORDERS in features else (*features, _ORDERS)
        table = shop.features(None, settings.exclude_statuses, read)
        buyers = table.filter(pc.fill_null(pc.greater(table[_ORDERS.name], 0), False))
        missing = {each.name: pc.sum(lacks(buyers, each)).as_py() or 0 for each in features}
        rows = complete(table, features)
        return Tried(
            counts.users,
            counts.orders,
            counts.items,
            buyers.num_rows,
            rows.num_rows,
            distinct(rows, names),
            {name: count for name, count in missing.items() if count},
            tuple(name for name in names if rows.num_rows and len(pc.unique(rows[name])) == 1),
            dict(shop.rejected().counts),
            tuple(shop.notes(None, settings.warehouse_statuses)),
        )
