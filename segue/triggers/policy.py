"""The rules: what a trigger does with a change. Pure: no clock, no I/O.

The rules are asked in this order, and the first that says no is the reason: the trigger's event, the cause,
the age, re-entry, the cooldown, the most webhooks of a day, the holdout. The holdout comes last, so that
those held out and those who get the webhook have passed the same rules and can be compared.

A webhook counts from the moment it is decided, whether its receiver takes it or not: then what is decided
never depends on a receiver.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct
from msgspec.structs import replace

from schemas.outputs.segment_change import Change, UserErasedChange
from segue.triggers.file.trigger_file import Trigger, Triggers
from segue.triggers.firm_segment import Whereabouts, after, first_met, is_meant

Action = Literal["send", "held_out", "skipped"]
Reason = Literal["other", "cause", "too_old", "reentry", "cooldown", "max_per_day"]
REASONS: tuple[Reason, ...] = ("other", "cause", "too_old", "reentry", "cooldown", "max_per_day")
"""Why a change is skipped. ``other``: the trigger is on something else, as most changes are."""


_Time = Annotated[datetime, Meta(tz=True)]


class Outcome(Struct, frozen=True):
    """What a trigger does with a change; ``reason`` says why it is skipped."""

    action: Action
    reason: Reason | None = None

    def __str__(self) -> str:
        return self.action if self.reason is None else f"{self.action}: {self.reason}"


class Entry(Struct, frozen=True, omit_defaults=True):
    """What the ledger holds of one trigger and one user, once the trigger has acted on the user.

    Attributes:
        event_id: the change that it acted on last.
        at: when it did, or held the user out instead; re-entry counts from here.
        first_at: when it first did.
        times: how often it did.
        outcome: the last outcome: ``sent``, ``held_out`` or ``dead_letter``.
        dead_letters: the ids of the webhooks that became dead letters.
        regrouped: whether the user was once held out and once not, because the file's holdout was changed.
    """

    event_id: str
    at: _Time
    first_at: _Time
    times: int
    outcome: Literal["sent", "held_out", "dead_letter"]
    dead_letters: tuple[str, ...] = ()
    regrouped: bool = False


class User(Struct, frozen=True, omit_defaults=True):
    """What the ledger holds of one user for all triggers.

    Attributes:
        where: the user's segments.
        sent_at: when the last webhook of any trigger was decided.
        day: the day of that webhook, in the file's time zone, as 2024-01-31.
        sends: how many webhooks were decided on that day.
    """

    where: Whereabouts = Whereabouts()
    sent_at: _Time | None = None
    day: str = ""
    sends: int = 0


class Decided(Struct, frozen=True):
    """What all triggers do with one change.

    Attributes:
        outcomes: by trigger, in the order of the file.
        user: the user afterwards; None if the user is erased, with all of the user's entries.
        entries: the entries that changed, by trigger.
    """

    outcomes: Mapping[str, Outcome]
    user: User | None
    entries: Mapping[str, Entry]


def held_out(trigger: str, user_id: str, share: float) -> bool:
    """Return whether a user belongs to the share of a trigger's users who never get its webhook.

    The same user is always held out of the same trigger, or never.

    Args:
        trigger: the trigger's name.
        user_id: the user.
        share: 0 to 1.
    """
    first = hashlib.sha256(f"{trigger}\n{user_id}".encode()).digest()[:8]
    return int.from_bytes(first) < share * 2**64


def decide(
    triggers: Triggers, change: Change, user: User | None, entries: Mapping[str, Entry], now: datetime
) -> Decided:
    """Decide what every trigger does with a change.

    Args:
        triggers: the file of triggers.
        change: the change. A user's changes must come in their order.
        user: the user before the change; None if nothing is known of the user.
        entries: the user's entries before the change, by trigger.
        now: the present time.
    """
    if isinstance(change, UserErasedChange):
        on_erased = {
            each.name: Outcome("send") if each.on == "erased" else Outcome("skipped", "other")
            for each in triggers.triggers
        }
        return Decided(on_erased, None, {})
    if user is None:
        user = User(first_met(change))
    # A clock that is put back over midnight begins no day again.
    day = max(f"{now.astimezone(ZoneInfo(triggers.time_zone)):%Y-%m-%d}", user.day)
    before = user.where
    user = replace(user, where=after(before, change))
    outcomes: dict[str, Outcome] = {}
    changed: dict[str, Entry] = {}
    for trigger in triggers.triggers:
        meant = trigger.on != "erased" and is_meant(trigger, before, change, triggers.segments)
        sends = user.sends if user.day == day else 0
        reason: Reason | None = "other"
        if meant:
            full = triggers.max_per_day is not None and sends >= triggers.max_per_day
            reason = _against(trigger, change, entries.get(trigger.name), user.sent_at, now, full=full)
        if reason is not None:
            outcomes[trigger.name] = Outcome("skipped", reason)
            continue
        out = held_out(trigger.name, change.user_id, trigger.holdout)
        outcomes[trigger.name] = Outcome("held_out" if out else "send")
        former = entries.get(trigger.name)
        changed[trigger.name] = Entry(
            change.event_id,
            now,
            now if former is None else former.first_at,
            1 if former is None else former.times + 1,
            "held_out" if out else "sent",
            () if former is None else former.dead_letters,
            former is not None and (former.regrouped or (former.outcome == "held_out") != out),
        )
        if not out:
            user = replace(user, sent_at=now, day=day, sends=sends + 1)
    return Decided(outcomes, user, changed)


def _against(
    trigger: Trigger,
    change: Change,
    entry: Entry | None,
    sent_at: datetime | None,
    now: datetime,
    *,
    full: bool,
) -> Reason | None:
    """Return the first rule against acting on a change that the trigger is on; None if there is none."""
    if change.cause.type not in trigger.causes:
        return "cause"
    # A shop's old orders may arrive today: such a change is as old as its order.
    if now - min(change.occurred_at, change.emitted_at) > trigger.max_age:
        return "too_old"
    if entry is not None and _again_too_soon(trigger, now - entry.at):
        return "reentry"
    if trigger.cooldown is not None and sent_at is not None and now - sent_at < trigger.cooldown:
        return "cooldown"
    return "max_per_day" if full else None


def _again_too_soon(trigger: Trigger, since: timedelta) -> bool:
    if isinstance(trigger.reentry, timedelta):
        return since < trigger.reentry
    return trigger.reentry == "never"
