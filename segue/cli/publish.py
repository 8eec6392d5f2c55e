"""`segue publish`: make a release the current release, which workers use."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from schemas.errors import Refused
from segue.cli.command import command, flag
from segue.config.command_line import options
from segue.config.settings import Settings
from segue.show.terminal import people, say, warn, write, write_json


@command(
    "kafka",
    "topic_prefix",
    "exclude_statuses",
    "max_moved",
    "artifacts_prefix",
    example="segue publish releases/cf241a047c61 --to s3://models/segue",
)
@options("to")
def publish(
    settings: Settings,
    path: Annotated[str, typer.Argument(metavar="PATH", help="the release's folder, as train printed it")],
    to: Annotated[
        str | None, typer.Option(metavar="URI", help="upload the folder there first: s3://, gs://, a path…")
    ] = None,
    dry_run: Annotated[bool, flag("--dry-run", "only show what would happen; write nothing")] = False,
    force: Annotated[
        bool, flag("--force", "publish even if more users move than max_moved, or if it is current already")
    ] = False,
    as_json: Annotated[bool, flag("--json", "version, activation, impact and drift as JSON")] = False,
) -> int | None:
    """Make a release current: workers use it without a restart.

    First it checks every file against the manifest's hashes, and the release's exclude_statuses against the
    settings. Then it shows how many users the release would move, and refuses to publish if this is more than
    max_moved. A release that is already current is not published again.
    """
    from segue.releases.release_topic import carry_out, plan, plan_as_json, unusable_here
    from segue.show.impact_text import impact_text

    planned = plan(Path(path), settings)
    version, topic = planned.release.version, settings.topics.models
    done = planned.is_done(to) and not force
    if planned.goes_back_from is not None:
        say(
            f"Release {version} was published before, and {planned.goes_back_from} is current:"
            " this goes back to it, as segue rollback does."
        )
    if (problem := unusable_here(planned, settings)) is not None:
        warn(f"workers with these settings would not use it: {problem}")
    if planned.impact is not None:
        people.print(impact_text(planned.impact, planned.drift))
    refusal = None if force else planned.refusal
    idle = dry_run or refusal is not None or done
    activation = None if idle else carry_out(planned, settings, to, force=force)
    if as_json:
        write_json(plan_as_json(planned, activation, done=done))
    elif activation is not None:
        write(f"Published release {version} on {topic}: activation {activation}.")
        if activation == 1:
            say("Next: segue bootstrap, if the warehouse has facts from before; then segue worker")
    elif done:
        write(
            f"Release {version} is current already on {topic}, by activation {planned.known.activation}:"
            " nothing was published."
        )
    if refusal is not None:
        raise Refused(refusal)
    if dry_run and not done:
        say(f"Release {version} would be published on {topic}; nothing was written.")
    return None
