"""The gate of a rehearsal: why a release must not become current."""

from __future__ import annotations

from schemas.counted import counted
from segue.rehearsal.rehearse_log import Rehearsal


def refusal(rehearsal: Rehearsal, max_moved: float, max_flaps: float) -> str | None:
    """Return why the release must not become current without ``--force``; None if it may.

    Args:
        rehearsal: the rehearsal of the release.
        max_moved: the share of the users, 0 to 1, that the switch may move.
        max_flaps: the share of the users with an event, 0 to 1, that may flap.
    """
    switch, version = rehearsal.switch, rehearsal.new.version
    if switch.share > max_moved:
        return (
            f"release {version} would now move {len(switch.moved):,} of {counted(switch.users, 'user')}"
            f" ({switch.share:.1%}) to another segment, and the limit is {max_moved:.1%}: look at the"
            " rehearsal, then publish it with --force or a higher --max-moved"
        )
    flapping = rehearsal.new.counts.flapping_users
    if rehearsal.flapping_share > max_flaps:
        share, best = rehearsal.flapping_share, rehearsal.suggested
        helps = best.min_margin > rehearsal.min_margin and best.flapping_users <= max_flaps * rehearsal.users
        advice = f"set min_margin to {best.min_margin:g}, or publish it" if helps else "publish it"
        return (
            f"under release {version} {flapping:,} of {counted(rehearsal.users, 'user')} with an event"
            f" ({share:.1%}) would return to a segment they left, and the limit is {max_flaps:.1%}:"
            f" {advice} with --force or a higher --max-flaps"
        )
    return None
