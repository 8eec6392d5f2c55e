"""Makes a settings file for a warehouse, and tries it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.counted import counted
from schemas.errors import BadWarehouse
from schemas.printable import printable_cell
from segue.config.load_settings import load_settings
from segue.config.settings import Settings
from segue.config.trainer_extra import installed
from segue.proposals.try_settings import Tried, try_settings

if TYPE_CHECKING:
    from trainer.proposal.looks.desk import Desk
    from trainer.proposal.looks.open_tables import ShopTables
    from trainer.proposal.proposed_settings import Proposal

_MOST_MISSING = 0.5
_GUESSED = ("separator", "encoding")


@dataclass(frozen=True, slots=True)
class Made:
    """A proposal that was tried.

    Attributes:
        proposal: the settings with their reasons.
        text: the same as a settings file.
        tried: what they read.
    """

    proposal: Proposal
    text: str
    tried: Tried


@contextmanager
def looked_at(
    warehouse: str, settings: Settings, *, may_be_empty: bool = False
) -> Iterator[tuple[ShopTables, Desk]]:
    """The tables of a warehouse, with copies that are gone after the block.

    Args:
        warehouse: the warehouse's address, or its file or folder.
        settings: where they name the separator or the encoding of CSV files, these are not guessed.
        may_be_empty: whether a database in which no table is found is no error, but a note.

    Raises:
        BadWarehouse: it cannot be read, or has no table.
        NotInstalled: the trainer's packages are not installed.
    """
    with installed():
        from trainer.proposal.looks.desk import Desk  # noqa: PLC0415 - heavy, and not everywhere
        from trainer.proposal.looks.open_tables import open_tables  # noqa: PLC0415 - as above
    with Desk() as desk:
        declared = {name: str(value) for name, value in settings.csv.items() if name in _GUESSED}
        yield open_tables(warehouse, desk, declared, may_be_empty=may_be_empty), desk


def make_proposal(warehouse: str, tables: ShopTables, desk: Desk, now: datetime) -> Made:
    """Propose settings and try them; features that turn out to be useless are taken out.

    Args:
        warehouse: the warehouse's address, or its file or folder.
        tables: the warehouse's tables.
        desk: copies of the tables, to look at their values.
        now: the present time (UTC).

    Raises:
        BadWarehouse: no table has an order's id, its user and its time; nothing can be a feature; or the
            warehouse cannot be read so.
    """
    from trainer.proposal.propose import propose  # noqa: PLC0415 - heavy, and not everywhere

    proposal = propose(tables, desk)
    while True:
        if not proposal.settings["features"]:
            raise BadWarehouse(
                f"{tables.name}: no column can be a feature, so there is nothing to segment by"
            )
        tried = _try(warehouse, _text(proposal, _about_tables(tables, proposal)), now)
        useless = {
            name: f"{count:,} of {tried.buyers:,} users with an order have no value of it"
            for name, count in tried.missing.items()
            if count > _MOST_MISSING * tried.buyers
        }
        # Only then: a feature that most users lack leaves few users, for whom others may have one value.
        if not useless:
            useless = dict.fromkeys(
                tried.constant, "it has the same value for all users who can be trained on"
            )
        if not tried.trainable and not useless:
            raise BadWarehouse(_nobody(tables, tried))
        if not useless:
            head = [*_about_tables(tables, proposal), "", *about_rows(tried), *_left_out(tried)]
            return Made(proposal, _text(proposal, head), tried)
        for name, why in useless.items():
            proposal.drop(name, why)


def about_rows(tried: Tried) -> list[str]:
    """Sentences about what settings read."""
    read = (
        f"These settings read {counted(tried.users, 'user')}, {counted(tried.orders, 'order')} and "
        f"{counted(tried.items, 'item')}; "
        f"{tried.trainable:,} of {tried.buyers:,} users with an order have a value of every feature."
    )
    return [read] + [f"Without {name}: {counted(count, 'user')}." for name, count in tried.missing.items()]


def _left_out(tried: Tried) -> list[str]:
    return [
        f"Left out: {counted(count, 'row')} of {table}: {why}."
        for (table, why), count in tried.rejected.items()
    ]


def _nobody(tables: ShopTables, tried: Tried) -> str:
    reasons = [one.removesuffix(".") for one in (*about_rows(tried)[1:], *_left_out(tried))]
    why = "; ".join(reasons) or "no user has an order"
    return f"{tables.name}: no user could be trained on ({why}), so nothing is proposed"


def _try(warehouse: str, text: str, now: datetime) -> Tried:
    """Try a settings file as `train` would read it."""
    with tempfile.TemporaryDirectory(prefix="segue-init-") as folder:
        file = Path(folder) / "segue.toml"
        file.write_text(text, encoding="utf-8")
        return try_settings(warehouse, load_settings(file), now)


def _text(proposal: Proposal, head: list[str]) -> str:
    from trainer.proposal.toml_text import toml_text  # noqa: PLC0415 - heavy, and not everywhere

    return toml_text(proposal, head)


def _about_tables(tables: ShopTables, proposal: Proposal) -> list[str]:
    head = [
        f"Proposed by segue init for {tables.name}, from the names and contents of its tables.",
        "Read it and correct what is wrong; docs/your-data.md explains.",
        "",
        "Tables that were found:",
    ]
    for table in tables.tables:
        name = printable_cell(" + ".join(table.parts))
        head.append(f"  {name} ({table.rows:,} rows): {proposal.used[table.name]}")
    return [*head, *(f"  {note}" for note in tables.notes)]
