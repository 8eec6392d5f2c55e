"""`segue console`: pages and an HTTP API over Kafka and Redis."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from segue.cli.command import command
from segue.cli.train import DEFAULT_OUT
from segue.config.command_line import BadUsage, bad_option
from segue.config.load_settings import TOKEN_VARIABLE, WRITE_TOKEN_VARIABLE
from segue.config.settings import Settings
from segue.config.trainer_extra import installed
from segue.show.terminal import say


@command(
    "kafka",
    "topic_prefix",
    "redis",
    "redis_prefix",
    "group",
    "similar_users",
    "min_margin",
    "partitioner",
    "exclude_statuses",
    "max_moved",
    "artifacts_prefix",
    example="segue console --port 8765",
)
def console(
    settings: Settings,
    host: Annotated[
        str, typer.Option(metavar="NAME", help="the address to listen on; all but loopback need a token")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="N", help="the port; 0 takes any free one")] = 8765,
    token: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help=f"readers must give this token; better in {TOKEN_VARIABLE}, as others see a command line",
        ),
    ] = None,
    out: Annotated[
        str,
        typer.Option("--releases", metavar="DIR", help="the folder of releases, for reports and to publish"),
    ] = DEFAULT_OUT,
    triggers: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="the file of triggers: what they changed, and to send webhooks again"
        ),
    ] = None,
    warehouse: Annotated[
        str | None,
        typer.Option(metavar="PATH_OR_URL", help="where the orders are, to say what the triggers changed"),
    ] = None,
) -> int | None:
    """Show segments, changes, users, releases, dead letters and triggers in a browser, until ctrl-C.

    It only reads, but for people who log in with the token in SEGUE_CONSOLE_WRITE_TOKEN: they may publish,
    roll back, and send dead letters again. `/api/openapi.json` describes its HTTP API.
    """
    if not 0 <= port <= 65_535:
        raise bad_option("--port", port, "give 0 to 65535")
    if triggers is not None and not Path(triggers).is_file():
        raise bad_option("--triggers", triggers, "there is no such file")
    if warehouse is not None and triggers is None:
        raise BadUsage("option --warehouse is for the report on triggers: give --triggers, too")
    with installed("console"):
        from segue.console.facts.console_files import ConsoleFiles
        from segue.console.run_console import ConsoleOptions, run_console

    options = ConsoleOptions(
        host,
        port,
        ConsoleFiles(Path(out), None if triggers is None else Path(triggers), warehouse),
        os.environ.get(TOKEN_VARIABLE) or None if token is None else token,
        os.environ.get(WRITE_TOKEN_VARIABLE) or None,
    )
    run_console(settings, options, say)
    return None
