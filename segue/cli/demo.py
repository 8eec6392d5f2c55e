"""`segue demo`: run the whole service live on a shop's data."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

from math import inf
from typing import Annotated

import typer

from segue.cli.command import command, flag
from segue.config.command_line import bad_option
from segue.config.settings import Settings
from segue.show.terminal import data


@command("preset", "kafka", "redis", example="segue demo --preset rfm")
def demo(
    settings: Settings,
    rate: Annotated[float, typer.Option(metavar="N", help="events a second")] = 250.0,
    keep: Annotated[bool, flag("--keep", "keep everything running at the end, until ctrl-C")] = False,
    no_install: Annotated[bool, flag("--no-install", "never install a missing program")] = False,
) -> int | None:
    """Train on a shop's history, start everything, stream the next month, and explain what happened.

    With the preset rfm, users also move because time passed: the shop's times are moved so that it ends
    yesterday, and the states are those of a month ago.

    It uses the Kafka and Redis of the settings, else Docker, else servers that it starts on this machine,
    else memory. On Debian, as root, it installs missing programs and says so first. At the end it stops
    everything that it started.
    """
    if not 0 < rate < inf:
        raise bad_option("--rate", rate, "give events a second, above 0")
    from segue.config.trainer_extra import installed

    with installed():
        from segue.demo.run_demo import demo as run
    run(settings, data, rate=rate, keep=keep, install=not no_install)
    return None
