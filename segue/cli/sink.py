"""`segue sink`: keep tables of the segments beside Kafka."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

import re
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from schemas.counted import counted
from segue import interruption
from segue.cli.command import command, flag
from segue.config.command_line import bad_option
from segue.config.settings import Settings
from segue.config.trainer_extra import installed
from segue.show.terminal import say

_SCHEMA = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


@command("kafka", "topic_prefix", example="segue sink --to postgresql://segue@localhost/shop")
def sink(
    settings: Settings,
    to: Annotated[
        str,
        typer.Option("--to", metavar="FOLDER_OR_URL", help="a postgresql:// URL, or a folder for Parquet"),
    ],
    schema: Annotated[
        str, typer.Option("--schema", metavar="NAME", help="the schema of the tables in PostgreSQL")
    ] = "segue",
    once: Annotated[bool, flag("--once", "end when everything that is in Kafka now is written")] = False,
) -> int | None:
    """Keep two tables: each user's present segment, and the history of all changes with valid_from and
    valid_to.

    It follows Kafka until ctrl-C. Every change is written exactly once, whatever is killed. An erased user's
    rows go from both tables. docs/sinks.md has the columns, and how to read a folder.
    """
    if not _SCHEMA.fullmatch(schema):
        raise bad_option("--schema", schema, "use letters, digits and _, at most 63, and no digit first")
    with installed():
        from segue.sink.parquet_sink import ParquetSink
        from segue.sink.postgres_sink import PostgresSink
        from segue.sink.run_sink import Sink, run_sink
        from segue.sink.sink_address import is_url

    try:
        to_postgres = is_url(to)
    except ValueError as error:
        scheme, mark, _ = to.partition(":")  # the rest may hold a password
        raise bad_option("--to", f"{scheme}:…" if mark else to, str(error)) from None

    def opened() -> Sink:
        if to_postgres:
            return PostgresSink(to, schema, settings.topic_prefix)
        return ParquetSink(Path(to), settings.topic_prefix)

    where = "PostgreSQL" if to_postgres else f"folder {to}"
    with nullcontext() if once else interruption.normal_end():
        done = run_sink(settings, opened, where, say, once=once)
    say(
        f"Read {counted(done.records, 'record')}. There are now {counted(done.users, 'user')} in"
        f" current_segments, and {counted(done.rows, 'row')} in segment_history."
    )
    return None
