"""Access to the optional parts, such as the trainer: a worker's image does not contain it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from schemas.days import date_in, zone_of
from schemas.errors import NotInstalled
from schemas.extras import extra_with, how_to_install
from schemas.release.model_release import ModelRelease
from schemas.times import parse_length
from segue.config.settings import Settings

if TYPE_CHECKING:
    from trainer.warehouse import Warehouse


@contextmanager
def installed(extra: str = "trainer") -> Iterator[None]:
    """Report a missing package as a sentence that says how to install it.

    Args:
        extra: the extra that brings the packages.

    Raises:
        NotInstalled: the block imports a package that is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise NotInstalled(
            f"this command needs {(error.name or '').partition('.')[0]}, which is not installed;"
            f" {how_to_install(extra_with(error.name, extra))}"
        ) from None


def open_warehouse(name: str, settings: Settings, now: datetime) -> Warehouse:
    """Open a warehouse as the settings describe it, with :func:`trainer.warehouse.open_warehouse`.

    Args:
        name: a folder, a DuckDB file or a database URL.
        settings: name the tables, the columns, the form of CSV files and the features.
        now: the current time. Without an as-of time, rows that are later than this by more than ``max_ahead``
            are left out, and its date is the day of features of time.

    Raises:
        NotInstalled: the packages that read warehouses are not installed.
        BadWarehouse: the warehouse or its tables cannot be used.
        BadSetting: a setting of the warehouse cannot be used.
    """
    with installed():
        from trainer import warehouse  # noqa: PLC0415 - heavy, and not everywhere
    reading = warehouse.Reading(
        warehouse.Csv(**cast("dict[str, Any]", settings.csv)),
        settings.whole_ids,
        settings.read_features,
        bool(settings.exclude_statuses),
        now + parse_length(settings.max_ahead),
        settings.time_zone,
        date_in(now, zone_of(settings.time_zone)),
    )
    return warehouse.open_warehouse(
        name, warehouse.Names(settings.tables, settings.columns, reading.fields), reading
    )


def load_folder(path: Path) -> ModelRelease:
    """Load a release from its folder, with :func:`trainer.release.release_folder.load_release`.

    Raises:
        NotInstalled: the trainer's packages are not installed.
        BadRelease: the folder's files cannot be used.
    """
    with installed():
        from trainer.release import release_folder  # noqa: PLC0415 - as above
    return release_folder.load_release(path)
