"""`segue publish`: make a release the one that workers use."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from schemas.errors import Refused
from segue.cli.command import command, flag
from segue.cli.terminal import people, say, write
from segue.settings import Settings


@command(
    "kafka",
    "topic_prefix",
    "max_moved",
    example="segue publish releases/cf241a047c61 --to s3://models/segue",
)
def publish(
    settings: Settings,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="the release's folder, as train printed it")],
    to: Annotated[
        str | None, typer.Option(metavar="URI", help="upload the folder there first: s3://, gs://, a path…")
    ] = None,
    dry_run: Annotated[bool, flag("--dry-run", "tell what it would do, and write nothing")] = False,
    force: Annotated[bool, flag("--force", "publish also beyond max_moved")] = False,
    as_json: Annotated[bool, flag("--json", "version, activation, impact and drift as JSON")] = False,
) -> int | None:
    """Make a release the current one: workers use it without a restart.

    Every file of the folder is checked against the manifest's hashes first. Then it tells whom the release would
    move, and refuses where they are more than max_moved allows.
    """
    from segue.impact_text import impact_text
    from segue.publishing import carry_out, plan, plan_json

    planned = plan(path, settings)
    if planned.impact is not None:
        people.print(impact_text(planned.impact, planned.drift))
    refusal = None if force else planned.refusal
    activation = None if dry_run or refusal else carry_out(planned, settings, to, force=force)
    version = planned.release.version
    if as_json:
        write(plan_json(planned, activation))
    elif activation is not None:
        write(f"Published release {version} on {settings.topics.models}: activation {activation}.")
        if activation == 1:
            say("Next: segue bootstrap, where users have a past in the warehouse; then segue worker")
    if refusal is not None:
        raise Refused(refusal)
    if dry_run:
        say(f"Release {version} would be published on {settings.topics.models}; nothing was written.")
    return None
