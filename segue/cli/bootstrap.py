"""`segue bootstrap`: write the users' states as of a time, from the warehouse."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from schemas.counted import counted
from schemas.days import zone_of
from schemas.times import EPOCH, parse_length, text
from segue.cli.command import command, flag
from segue.config.command_line import bad_option
from segue.config.settings import Settings
from segue.config.time_options import time_option
from segue.show.refused_text import refused_lines
from segue.show.terminal import progress, say, warn, write_json


@command(
    "kafka",
    "redis",
    "redis_prefix",
    "topic_prefix",
    "group",
    "partitions",
    "replication_factor",
    "partitioner",
    "exclude_statuses",
    example="segue bootstrap --warehouse ./tables --as-of 2024-12-01",
)
def bootstrap(
    settings: Settings,
    warehouse: Annotated[
        str,
        typer.Option(
            metavar="PATH_OR_URL", help="a folder of Parquet or CSV files, DuckDB, or a database URL"
        ),
    ],
    as_of: Annotated[str, typer.Option(metavar="TIME", help="the time of the states")],
    margin: Annotated[
        str,
        typer.Option(
            metavar="DURATION", help="workers read the log from this long before --as-of: 90s, 30m, 1h, 2d"
        ),
    ] = "1h",
    as_json: Annotated[bool, flag("--json", "the counts as JSON, on standard output")] = False,
) -> int | None:
    """Compute every user's state in the warehouse as of a time, and put it into Redis.

    Workers then continue with the events after that time. A bootstrap needs a release, a consumer group
    without workers, and a Redis prefix without users. If a bootstrap was interrupted, run it again with the
    same options.
    """
    at = time_option("--as-of", as_of, zone_of(settings.time_zone))
    assert at is not None
    now = datetime.now(UTC)
    if at > now:
        raise bad_option(
            "--as-of", as_of, f"it lies ahead, and more facts may come before it: give at most {text(now)}"
        )
    try:
        overlap = parse_length(margin)
    except ValueError as error:
        raise bad_option("--margin", margin, str(error)) from None
    if at - EPOCH < overlap:
        raise bad_option(
            "--margin", margin, f"it begins before 1970, counted back from {text(at)}: give less"
        )
    from segue.config.trainer_extra import open_warehouse
    from segue.refill.run_bootstrap import fill

    with open_warehouse(warehouse, settings, now) as tables, progress() as bar:
        task = bar.add_task("Filling", note="")
        filled = fill(
            settings,
            lambda: tables.events(as_of=at, ordered="user"),
            at,
            overlap,
            say,
            lambda users: bar.update(task, completed=users, note=f"{users:,} users"),
        )
        notes = tables.notes(at, settings.warehouse_statuses)
    for note in notes:
        warn(note)
    for line in () if as_json else refused_lines(filled.refusals, "facts of the warehouse"):
        warn(line)
    if as_json:
        write_json({"users": filled.users, "records": filled.records, "refused": list(filled.refusals)})
    else:
        say(
            f"{counted(filled.users, 'user')} as of {at:%Y-%m-%d %H:%M} UTC are in Redis under"
            f" {settings.redis_prefix}; {counted(filled.records, 'record')} on {settings.topics.users}."
            " Next: segue worker"
        )
    return None
