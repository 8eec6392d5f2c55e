"""`segue publish`: make a release the one that workers use."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from segue.cli.command import command, flag
from segue.cli.terminal import write
from segue.settings import Settings


@command(
    "kafka",
    "topic_prefix",
    example="segue publish releases/cf241a047c61 --to s3://models/segue",
)
def publish(
    settings: Settings,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="the release's folder, as train printed it")],
    to: Annotated[
        str | None, typer.Option(metavar="URI", help="upload the folder there first: s3://, gs://, a path…")
    ] = None,
    as_json: Annotated[bool, flag("--json", "version and activation as JSON")] = False,
) -> int | None:
    """Make a release the current one: workers use it without a restart.

    Every file of the folder is checked against the manifest's hashes first.
    """
    from segue.trainer_extra import publish_release

    version, activation = publish_release(path, settings, to)
    if as_json:
        write(msgspec.json.encode({"version": version, "activation": activation}).decode())
    else:
        write(f"Published release {version} on {settings.topics.models}: activation {activation}.")
    return None
