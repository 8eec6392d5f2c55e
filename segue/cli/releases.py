"""`segue releases`: what was published, and what is current."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

from typing import Annotated

from segue.cli.command import command, flag
from segue.config.settings import Settings
from segue.show.terminal import show_whole, warn, write_json


@command("kafka", "topic_prefix", example="segue releases")
def releases(
    settings: Settings,
    as_json: Annotated[bool, flag("--json", "one line a release, as JSON")] = False,
) -> int | None:
    """List the releases that were published, the one in use first.

    The others follow in the order in which they were last current.
    """
    from segue.releases.release_topic import known_releases
    from segue.show.releases_text import releases_as_json, releases_table

    known = known_releases(settings)
    if known.problem is not None:
        warn(f"the newest release cannot be read: {known.problem}")
    if as_json:
        for each in releases_as_json(known):
            write_json(each)
    elif known.releases:
        show_whole(releases_table(known))
    else:
        warn(f"no release was published on {settings.topics.models} yet: run `segue publish`")
    return None
