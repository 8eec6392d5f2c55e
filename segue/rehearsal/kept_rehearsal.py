"""Keeps the numbers of a rehearsal in a file beside the release's folder, for the console.

The file has no user ids, so an erasure has nothing to do in it. docs/releases.md names its fields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from schemas.outputs.segment_change import AwareTime
from segue.rehearsal.suggest_margin import MarginTrial


class RehearsedWebhooks(Struct, frozen=True):
    """How many webhooks one trigger would have sent."""

    sent: int


class RehearsedRun(Struct, frozen=True):
    """The window by one release: as ``current`` and ``new`` in ``segue publish --rehearse --json``.

    Attributes:
        version: the release.
        moves: the moves, by the type of their cause.
        movers: the users who moved, likewise.
        moving_users: the users who moved.
        flaps: the returns to a segment that the user had left.
        flapping_users: the users who returned.
        new_users: the first segments.
        erased_users: the erasures of users with a segment.
        webhooks: by trigger; empty without triggers.
    """

    version: str
    moves: Mapping[str, int]
    movers: Mapping[str, int]
    moving_users: int
    flaps: int
    flapping_users: int
    new_users: int
    erased_users: int
    webhooks: Mapping[str, RehearsedWebhooks]


class RehearsedSwitch(Struct, frozen=True):
    """Whom the switch moves, by cause ``model``.

    Attributes:
        users: all users with a segment.
        moving_users: those who move.
        share: the same as a share.
        entered: how many come to a segment.
        left: how many leave it.
        webhooks: by trigger; empty without triggers.
    """

    users: int
    moving_users: int
    share: float
    entered: Mapping[int, int]
    left: Mapping[int, int]
    webhooks: Mapping[str, RehearsedWebhooks]


class KeptRehearsal(Struct, frozen=True):
    """The last days by the current and by a new release.

    Attributes:
        since: the window begins here.
        until: it ends here; this is also when it was rehearsed.
        min_margin: the setting, with which both releases decided.
        events: the events of the window.
        users: the users with an event in it.
        current: the release that was current.
        new: the new release.
        switch: whom the switch to it moves.
        margins: the new release with each margin.
        suggested_min_margin: the margin to use.
        refusal: why `segue publish` refused it; None if it did not.
        notes: sentences about what limits the comparison.
    """

    since: AwareTime
    until: AwareTime
    min_margin: float
    events: int
    users: int
    current: RehearsedRun
    new: RehearsedRun
    switch: RehearsedSwitch
    margins: Sequence[MarginTrial]
    suggested_min_margin: float
    refusal: str | None
    notes: tuple[str, ...]


def rehearsal_file(releases: Path, version: str) -> Path:
    """Return the file of a release's newest rehearsal."""
    return releases / f"{version}.rehearsal.json"


def keep_rehearsal(
    releases: Path, rehearsed: Mapping[str, Any], refusal: str | None, notes: Sequence[str]
) -> Path:
    """Write a rehearsal whole or not at all; an older one of the same release is replaced.

    Args:
        releases: the folder that has the release's folder.
        rehearsed: the fields of :func:`~segue.rehearsal.rehearsal_page.rehearsal_json`.
        refusal: why the release is refused; None if it is not.
        notes: what limits the comparison.

    Raises:
        OSError: the file cannot be written.
    """
    fields = {**rehearsed, "refusal": refusal, "notes": tuple(notes)}
    # Other fields, such as the users who move, are left out.
    kept = msgspec.json.decode(msgspec.json.encode(fields), type=KeptRehearsal)
    file = rehearsal_file(releases, kept.new.version)
    part = file.with_suffix(".part")
    try:
        part.write_bytes(msgspec.json.format(msgspec.json.encode(kept)))
        part.replace(file)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return file


def kept_rehearsal(releases: Path, version: str) -> KeptRehearsal | None:
    """Return a release's newest rehearsal; None if there is none that can be read."""
    try:
        content = rehearsal_file(releases, version).read_bytes()
        kept = msgspec.json.decode(content, type=KeptRehearsal)
    except (OSError, msgspec.MsgspecError):
        return None
    return kept if kept.new.version == version else None
