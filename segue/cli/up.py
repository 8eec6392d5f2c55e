"""`segue up`: run a Kafka and a Redis on this machine, for development."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from segue.cli.command import command, flag
from segue.config.settings import Settings
from segue.show.terminal import say, write


@command("topic_prefix", "partitions", example="segue up --data ~/segue-data")
def up(
    settings: Settings,
    data: Annotated[
        str, typer.Option(metavar="FOLDER", help="the folder that keeps the data of both")
    ] = ".segue",
    fresh: Annotated[bool, flag("--fresh", "remove the folder's data first")] = False,
    no_install: Annotated[bool, flag("--no-install", "never install a missing program")] = False,
) -> int | None:
    """Start a Kafka and a Redis on this machine, for development, and keep them until ctrl-C.

    It creates Segue's topics, and prints the two lines that tell other commands the addresses. The next
    `segue up` in the same folder continues with the same data, at the same ports if they are free. On Debian,
    as root, it installs missing programs and says so first.
    """
    from segue.up.run_up import run_up

    run_up(settings, Path(data), say, write, fresh=fresh, install=not no_install)
