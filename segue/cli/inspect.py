"""`segue inspect`: the tables of a warehouse, what is proposed for them, and what would be left out."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.errors import SegueError
from segue.cli.command import command, flag
from segue.config.settings import Settings
from segue.show.terminal import complain, write, write_json

if TYPE_CHECKING:
    from segue.proposals.make_proposal import Made
    from segue.proposals.try_settings import Tried
    from trainer.proposal.looks.open_tables import ShopTables
    from trainer.proposal.proposed_settings import Proposal

_OF_A_WAREHOUSE = frozenset({"tables", "columns", "csv", "whole_ids", "declare", "features"})


@command(example="segue inspect --warehouse ./export")
def inspect(
    settings: Settings,
    warehouse: Annotated[
        str,
        typer.Option(
            metavar="PATH_OR_URL", help="a folder of Parquet or CSV files, DuckDB, or a postgresql:// URL"
        ),
    ],
    as_json: Annotated[bool, flag("--json", "all of it as JSON, on standard output")] = False,
) -> int | None:
    """Show the tables of a warehouse with their columns, and how Segue would read them.

    If segue.toml has settings of a warehouse, these are tried; else settings are proposed, as by segue init.
    Then it counts what they read and leave out, and why. Nothing is written.
    """
    from segue.proposals.make_proposal import looked_at, make_proposal
    from segue.proposals.try_settings import try_settings

    given = bool(_OF_A_WAREHOUSE & settings.model_fields_set)
    now = datetime.now(UTC)
    # The settings may name a schema that is not on the search path.
    with looked_at(warehouse, settings, may_be_empty=given) as (tables, desk):
        made, tried, error = None, None, None
        try:
            if given:
                tried = try_settings(warehouse, settings, now)
            else:
                made = make_proposal(warehouse, tables, desk, now)
                tried = made.tried
        except SegueError as found:
            error = found
    if as_json:
        write_json(_fields(tables, made, tried, error, given=given))
    else:
        _show(tables, made, tried)
    if error is not None:
        complain(f"your settings do not fit: {error}" if given else str(error))
        return error.exit_code
    return None


def _show(tables: ShopTables, made: Made | None, tried: Tried | None) -> None:
    from segue.proposals.make_proposal import about_rows
    from segue.show.inspection_text import tables_text, wrapped

    lines = list(tables_text(tables))
    if tried is not None:
        lines.append("Your settings:" if made is None else "What segue init would write, with all reasons:")
        for line in () if made is None else _proposed(made.proposal):
            lines += wrapped(line, "  ")
        for sentence in (*about_rows(tried), *tried.notes):
            lines += wrapped(sentence)
    for line in lines:
        write(line)


def _proposed(proposal: Proposal) -> list[str]:
    lines = [f"found in {table}: {use}" for table, use in proposal.used.items()]
    for table, columns in proposal.reads.items():
        lines.append(f"{table}: {', '.join(f'{own} = {column}' for own, column in columns.items())}")
    lines.append(f"features: {', '.join(proposal.settings['features'])}")
    for table, columns in proposal.left_out.items():
        lines += [f"no feature: {table}.{column}: {why}" for column, why in columns.items()]
    return [*lines, *(f"CHECK: {warning}" for warning in proposal.warnings)]


def _fields(
    tables: ShopTables, made: Made | None, tried: Tried | None, error: SegueError | None, *, given: bool
) -> dict[str, object]:
    from segue.show.inspection_text import tables_as_json

    return {
        "warehouse": tables.name,
        "tables": tables_as_json(tables),
        "csv": {"separator": tables.form.separator, "encoding": tables.form.encoding},
        "notes": tables.notes,
        "from": "settings" if given else "proposal",
        "settings": None if made is None else made.proposal.settings,
        "columns_read": None if made is None else made.proposal.reads,
        "checks": [] if made is None else made.proposal.warnings,
        "no_features": {} if made is None else made.proposal.left_out,
        "error": None if error is None else str(error),
        "read": None if tried is None else _numbers(tried),
    }


def _numbers(tried: Tried) -> dict[str, object]:
    return {
        "users": tried.users,
        "orders": tried.orders,
        "items": tried.items,
        "users_with_orders": tried.buyers,
        "users_with_every_feature": tried.trainable,
        "missing": tried.missing,
        "rejected": [
            {"table": table, "reason": reason, "rows": count}
            for (table, reason), count in tried.rejected.items()
        ],
        "notes": tried.notes,
    }
