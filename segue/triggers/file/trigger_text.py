"""A trigger as a sentence, for `segue triggers check`."""

from __future__ import annotations

from datetime import timedelta

from segue.triggers.file.trigger_file import BEHAVIOUR, SegmentName, Trigger


def trigger_text(trigger: Trigger) -> str:
    """Say when a trigger sends a webhook.

    >>> trigger_text(Trigger(name="a", on="entering", segment="At risk", reentry="always", holdout=0.1))
    'on entering "At risk", every time, except for 10% of the users, at most 2 days late'
    """
    if trigger.on == "erased":
        return "on an erasure, always"
    if trigger.on == "moving":
        what = f"moving from {_segment(trigger.origin)} to {_segment(trigger.target)}"
    else:
        what = f"{trigger.on} {_segment(trigger.segment)}"
    parts = [f"on {what}{', also provisionally' if trigger.provisional else ''}"]
    if isinstance(trigger.reentry, timedelta):
        parts.append(f"again after {_length(trigger.reentry)}")
    else:
        parts.append({"never": "once a user", "always": "every time"}[trigger.reentry])
    if trigger.causes != BEHAVIOUR:
        parts.append(f"caused by {', '.join(sorted(trigger.causes))}")
    if trigger.cooldown is not None:
        parts.append(f"not within {_length(trigger.cooldown)} of the user's last webhook")
    if trigger.holdout:
        parts.append(_share(trigger.holdout))
    parts.append(f"at most {_length(trigger.max_age)} late")
    return ", ".join(parts)


def _share(holdout: float) -> str:
    return f"except for {100 * holdout:g}% of the users"


def _segment(name: SegmentName | None) -> str:
    return f'"{name}"' if isinstance(name, str) else f"segment {name}"


def _length(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    for unit, of in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds % of == 0:
            count = seconds // of
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds} seconds"
