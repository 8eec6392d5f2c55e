"""The trainer, where it is installed: a worker's image goes without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.errors import SegueError

if TYPE_CHECKING:
    from trainer.warehouse import Warehouse


class NotInstalled(SegueError):
    """This command needs the optional dependencies named `trainer`."""

    exit_code = 69


def open_warehouse(name: str) -> Warehouse:
    """:func:`trainer.warehouse.open_warehouse`.

    Raises:
        NotInstalled: what reads warehouses is not installed.
        BadWarehouse: as there.
    """
    try:
        from trainer import warehouse  # noqa: PLC0415 - heavy, and not everywhere
    except ModuleNotFoundError as error:
        raise missing(error) from None
    return warehouse.open_warehouse(name)


def missing(error: ModuleNotFoundError) -> NotInstalled:
    """The sentence for a package that is not there."""
    return NotInstalled(
        f"this command needs {error.name}, which is not installed: pip install 'segue-live[trainer]'"
    )
