"""`segue releases`: list the published releases and the current release."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

from typing import Annotated

from segue.cli.command import command, flag
from segue.config.settings import Settings
from segue.show.terminal import show_whole, warn, write_json


@command("kafka", "topic_prefix", example="segue releases")
def releases(
    settings: Settings,
    as_json: Annotated[bool, flag("--json", "each release as one line of JSON")] = False,
) -> int | None:
    """List the published releases, the current release first.

    The other releases follow: the one that was current last comes first.
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
