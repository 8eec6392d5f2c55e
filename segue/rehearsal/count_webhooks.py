"""Counts the webhooks that changes would cause, by trigger and day, with the rules of the triggers. Pure.

The count begins with an empty ledger, as if the triggers had been started at the window's beginning. The
users' segments at that time are known, as at the first start of `segue triggers run`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from schemas.outputs.segment_change import Change, SegmentChange
from segue.triggers.file.trigger_file import Triggers
from segue.triggers.firm_segment import Segment, Whereabouts, after, first_met
from segue.triggers.policy import Entry, User, decide
from streamer.user.user_state import Decided


@dataclass(slots=True)
class TriggerCounts:
    """What one trigger would do.

    Attributes:
        by_day: the number of webhooks by day, as 2024-01-31, in the file's time zone.
        outcomes: the number of changes by outcome: ``send``, ``held_out``, ``skipped: reentry`` and so on.
    """

    by_day: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)

    @property
    def sent(self) -> int:
        """The number of webhooks."""
        return self.by_day.total()

    @property
    def most(self) -> int:
        """The number of webhooks on the day with the most."""
        return max(self.by_day.values(), default=0)


def known_by(newest: Change) -> User | None:
    """Return what triggers know of a user from the newest change; None after an erasure."""
    if not isinstance(newest, SegmentChange):
        return None
    return User(after(first_met(newest), newest))


def known_by_decision(decided: Decided) -> User:
    """Return what triggers know of a user from the newest decision, if its change is no longer in Kafka."""
    here = Segment(decided.segment, decided.segment_name)
    return User(Whereabouts(here, None if decided.provisional else here))


class WebhookTally:
    """Decides what a file of triggers would do with changes, and counts it.

    Args:
        triggers: the file of triggers.
    """

    def __init__(self, triggers: Triggers) -> None:
        self.counts = {trigger.name: TriggerCounts() for trigger in triggers.triggers}
        self._triggers = triggers
        self._zone = ZoneInfo(triggers.time_zone)
        self._users: dict[str, User | None] = {}
        self._entries: dict[str, dict[str, Entry]] = defaultdict(dict)

    def continued(self) -> WebhookTally:
        """Return a tally with counts of its own, and the same knowledge of each user."""
        tally = WebhookTally(self._triggers)
        tally._users, tally._entries = self._users, self._entries
        return tally

    def meet(self, user_id: str, user: User | None) -> None:
        """Note what is known of a user before the window."""
        self._users[user_id] = user

    def learn(self, change: Change) -> None:
        """Note where a change puts a user, without webhooks."""
        if not isinstance(change, SegmentChange):
            self._users[change.user_id] = None
            return
        user = self._users.get(change.user_id) or User(first_met(change))
        self._users[change.user_id] = replace(user, where=after(user.where, change))

    def add(self, change: Change) -> None:
        """Count what the triggers do with a change at the moment it is published; in the order of changes."""
        user_id, now = change.user_id, change.emitted_at
        decided = decide(self._triggers, change, self._users.get(user_id), self._entries[user_id], now)
        self._users[user_id] = decided.user
        if decided.user is None:
            del self._entries[user_id]
        else:
            self._entries[user_id].update(decided.entries)
        day = f"{now.astimezone(self._zone):%Y-%m-%d}"
        for name, outcome in decided.outcomes.items():
            self.counts[name].outcomes[str(outcome)] += 1
            self.counts[name].by_day[day] += outcome.action == "send"
