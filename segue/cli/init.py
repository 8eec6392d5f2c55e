"""`segue init`: write a segue.toml for a shop's warehouse."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from segue.cli.command import command
from segue.config.load_settings import DEFAULT_FILE
from segue.config.settings import Settings
from segue.show.terminal import say, warn, write

if TYPE_CHECKING:
    from segue.proposals.make_proposal import Made

# The first release of `train` has two dimensions and five segments by itself.
_COMPONENTS, _SEGMENTS = 2, 5


@command(example="segue init --warehouse ./export")
def init(
    settings: Settings,
    warehouse: Annotated[
        str,
        typer.Option(
            metavar="PATH_OR_URL", help="a folder of Parquet or CSV files, DuckDB, or a postgresql:// URL"
        ),
    ],
    out: Annotated[str, typer.Option(metavar="FILE", help="the settings file")] = str(DEFAULT_FILE),
) -> int | None:
    """Write a settings file for a warehouse: how its tables are read, and which features they give.

    The file is proposed from the names and contents of the tables. Its comments say what was found, what was
    chosen and why, and what is left out. It is tried before it is written. A file is never overwritten.
    """
    from segue.proposals.make_proposal import about_rows, looked_at, make_proposal
    from segue.proposals.new_file import check_new, write_new

    file = Path(out)
    check_new(file)
    with looked_at(warehouse, settings) as (tables, desk):
        for sentence in tables.notes:
            warn(sentence)
        made = make_proposal(warehouse, tables, desk, datetime.now(UTC))
    write_new(file, made.text)
    for sentence in made.proposal.warnings:
        warn(sentence)
    for note in made.tried.notes:
        warn(note)
    for sentence in about_rows(made.tried):
        say(sentence)
    say(f"Read {out}, then: segue train --warehouse {_train_options(warehouse, file, made)}")
    write(out)
    return None


def _train_options(warehouse: str, file: Path, made: Made) -> str:
    """The options of `train` with which the proposal can be trained."""
    # A URL may have a password.
    options = ["URL" if "://" in warehouse else shlex.quote(warehouse)]
    if len(made.proposal.settings["features"]) < _COMPONENTS:
        options.append("--components 1")
    if made.tried.different < _SEGMENTS:
        options.append(f"--k {made.tried.different}")
    if file != DEFAULT_FILE:
        options.append(f"--config {shlex.quote(str(file))}")
    return " ".join(options)
