"""The gate of a rehearsal: why a release must not become current."""

from __future__ import annotations

from schemas.counted import counted
from segue.rehearsal.rehearse_log import Rehearsal


def refusal(
    rehearsal: Rehearsal, max_moved: float, max_flaps: float, max_webhooks: int | None = None
) -> str | None:
    """Return why the release must not become current without ``--force``; None if it may.

    Args:
        rehearsal: the rehearsal of the release.
        max_moved: the share of the users, 0 to 1, that the switch may move.
        max_flaps: the share of the users with an event, 0 to 1, that may flap.
        max_webhooks: the number of webhooks that a trigger may send on one day, and by the switch; None for
            no limit.
    """
    switch, version = rehearsal.switch, rehearsal.new.version
    if switch.share > max_moved:
        return (
            f"release {version} would now move {len(switch.moved):,} of {counted(switch.users, 'user')}"
            f" ({switch.share:.1%}) to another segment, and the limit is {100 * max_moved:g}%: look at the"
            " rehearsal, then publish it with --force or a higher --max-moved"
        )
    flapping = rehearsal.new.counts.flapping_users
    if rehearsal.flapping_share > max_flaps:
        share, best = rehearsal.flapping_share, rehearsal.suggested
        helps = best.min_margin > rehearsal.min_margin and best.flapping_users <= max_flaps * rehearsal.users
        advice = f"set min_margin to {best.min_margin:g}, or publish it" if helps else "publish it"
        return (
            f"under release {version} {flapping:,} of {counted(rehearsal.users, 'user')} with an event"
            f" ({share:.1%}) would return to a segment they left, and the limit is {100 * max_flaps:g}%:"
            f" {advice} with --force or a higher --max-flaps"
        )
    return None if max_webhooks is None else _too_many_webhooks(rehearsal, max_webhooks)


def _too_many_webhooks(rehearsal: Rehearsal, most: int) -> str | None:
    version = rehearsal.new.version
    advice = (
        f"and the limit is {most:,}: look at the rehearsal, then publish it with --force or a higher"
        " --max-webhooks"
    )
    for name, counts in rehearsal.switch.webhooks.items():
        if counts.sent > most:
            return (
                f"when release {version} becomes current, trigger {name} would send"
                f" {counted(counts.sent, 'webhook')} at once, {advice}"
            )
    for name, counts in rehearsal.new.webhooks.items():
        if counts.most > most:
            day = max(counts.by_day, key=lambda day: counts.by_day[day])
            return (
                f"under release {version} trigger {name} would send {counted(counts.most, 'webhook')}"
                f" on {day}, {advice}"
            )
    return None
