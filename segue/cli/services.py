"""`segue services`: run a Kafka and a Redis on this machine, to try Segue with."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

from typing import Annotated

from segue.cli.command import command, flag
from segue.config.settings import Settings
from segue.show.terminal import say


@command("kafka", "redis", example="segue services")
def services(
    settings: Settings,
    no_install: Annotated[bool, flag("--no-install", "never install a missing program")] = False,
) -> int | None:
    """Start a Kafka and a Redis on this machine, to try Segue with, and keep them until ctrl-C.

    They listen at the settings' addresses, so that all other commands find them. At the end their data are
    deleted. On Debian, as root, it installs missing programs and says so first.
    """
    from segue.serve_locally import serve

    serve(settings, say, install=not no_install)
