"""The numbers of a trigger's report. Whoever only shows them needs no NumPy."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class Difference(Struct, frozen=True):
    """One outcome, such as orders per user, in both groups.

    Attributes:
        outcome: ``orders`` or ``spend``.
        treated: the mean of the users who got the webhook.
        held_out: the mean of those held out.
        difference: ``treated`` less ``held_out``.
        low: the lower end of the 95% interval of the difference.
        high: its upper end.
        smallest: a true difference of this size is seen with a probability of 80%.
    """

    outcome: str
    treated: float
    held_out: float
    difference: float
    low: float
    high: float
    smallest: float

    @property
    def is_seen(self) -> bool:
        """Whether the interval excludes 0."""
        return not self.low <= 0 <= self.high


class Group(Struct, frozen=True):
    """The users of a group who count; the buyers are those who ordered."""

    users: int
    buyers: int


class Comparison(Struct, frozen=True):
    """Both groups and their differences.

    Attributes:
        treated: the users who got the webhook.
        held_out: those held out.
        not_enough: a sentence that says which users or orders are missing; None if there are enough.
        differences: one for each outcome; empty if there are not enough users or orders.
    """

    treated: Group
    held_out: Group
    not_enough: str | None
    differences: tuple[Difference, ...]


class HoldoutReport(Struct, frozen=True):
    """What a trigger changed.

    Attributes:
        trigger: its name.
        holdout: the share that the file holds out.
        days: how many days after the trigger acted on a user count.
        until: the last order in the warehouse, or its last fact if nobody has ordered since the trigger
            began; None without facts.
        unfinished: how many users' days have not passed by then. They do not count.
        regrouped: how many users changed their group with the file's share. They do not count.
        comparison: the users who count, by group.
        dead: how many of those who count as with the webhook have the last one as a dead letter.
    """

    trigger: str
    holdout: float
    days: int
    until: datetime | None
    unfinished: int
    regrouped: int
    comparison: Comparison
    dead: int = 0
