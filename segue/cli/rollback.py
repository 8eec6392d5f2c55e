"""`segue rollback`: make an older release current again."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from segue.cli.command import command, flag
from segue.cli.train import DEFAULT_OUT
from segue.config.settings import Settings
from segue.show.terminal import people, say, write, write_json


@command("kafka", "topic_prefix", "exclude_statuses", "artifacts_prefix", example="segue rollback")
def rollback(
    settings: Settings,
    version: Annotated[
        str | None,
        typer.Argument(
            metavar="[VERSION]", help="the release; unset: the release that was current before this one"
        ),
    ] = None,
    out: Annotated[
        str, typer.Option(metavar="DIR", help="the folder of releases, to count the users who move")
    ] = DEFAULT_OUT,
    as_json: Annotated[bool, flag("--json", "version, activation and impact as JSON")] = False,
) -> int | None:
    """Make an older release current again: workers use it without a restart.

    If it can, it shows how many users this moves. It never refuses because of this number.
    """
    from segue.releases.release_topic import impact_of_rollback, known_releases, roll_back
    from segue.show.impact_text import impact_text
    from trainer.publish.rollback_target import choose

    known = known_releases(settings)
    target = choose(known, version)
    impact = impact_of_rollback(known, target, Path(out), settings.artifacts_prefix)
    if impact is None:
        say("It is not known which users move: the training users of the current release are not at hand.")
    else:
        people.print(impact_text(impact, None))
    activation = roll_back(known, target, settings)
    if as_json:
        write_json({"version": target.release.version, "activation": activation, "impact": impact})
    else:
        write(f"Release {target.release.version} is current again: activation {activation}.")
    return None
