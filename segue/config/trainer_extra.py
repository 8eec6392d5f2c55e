"""The trainer, where it is installed: a worker's image goes without it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from schemas.errors import NotInstalled
from schemas.extras import how_to_install
from schemas.release.model_release import ModelRelease
from schemas.times import parse_length
from segue.config.settings import Settings

if TYPE_CHECKING:
    from trainer.warehouse import Warehouse


@contextmanager
def installed() -> Iterator[None]:
    """Turns a package that is not there into a sentence."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise NotInstalled(
            f"this command needs {error.name}, which is not installed; {how_to_install('trainer')}"
        ) from None


def open_warehouse(name: str, settings: Settings, now: datetime) -> Warehouse:
    """:func:`trainer.warehouse.open_warehouse`, with what the settings say of the warehouse.

    Args:
        now: rows whose time lies ahead of it by more than ``max_ahead`` are left out, where the warehouse is not read as
            of a time.

    Raises:
        NotInstalled: what reads warehouses is not installed.
        BadWarehouse, BadSetting: as there.
    """
    with installed():
        from trainer import warehouse  # noqa: PLC0415 - heavy, and not everywhere
    reading = warehouse.Reading(
        warehouse.Csv(**cast("dict[str, Any]", settings.csv)),
        settings.whole_ids,
        settings.read_features,
        bool(settings.exclude_statuses),
        now + parse_length(settings.max_ahead),
    )
    return warehouse.open_warehouse(name, warehouse.Names(settings.tables, settings.columns), reading)


def load_folder(path: Path) -> ModelRelease:
    """:func:`trainer.release.release_folder.load_release`.

    Raises:
        NotInstalled: the trainer's packages are not installed.
        BadRelease: as there.
    """
    with installed():
        from trainer.release import release_folder  # noqa: PLC0415 - as above
    return release_folder.load_release(path)
