"""A lane's day: the calendar date, in the setting ``time_zone``, that features of time count to.

The day becomes the date of the clock, and it never goes back: a decision of an earlier day would contradict
the decisions that were published. Without a feature of time there is no day, and nothing is stored or sent.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time

from msgspec import UNSET, Struct, UnsetType

from schemas.days import date_in
from streamer.segment.active_model import ActiveModel
from streamer.segment.due_day import due_day
from streamer.user.order_rules import Rules
from streamer.user.user_state import UserState


class LaneDay(Struct, frozen=True):
    """A day with all that decides on it; it says until which day a decision holds."""

    day: date
    model: ActiveModel
    rules: Rules

    def due(self, state: UserState) -> date | None:
        """The day on which the user must be decided again; None if that day never comes.

        It is never later than the first day on which the decision would be another. The state was decided, or
        got its position, on this day.
        """
        return due_day(state, self.model, self.rules, self.day)


def date_of(rules: Rules, at: datetime) -> date | None:
    """The date of a time in the zone of the settings; None if no declared feature reads the day."""
    return date_in(at, rules.zone) if rules.of_time else None


def latest(days: Iterable[date | None]) -> date | None:
    """The latest of these days; None if there is none.

    >>> latest([None, date(2024, 3, 1), date(2024, 2, 29)]), latest([None])
    (datetime.date(2024, 3, 1), None)
    """
    return max((day for day in days if day is not None), default=None)


def beginning_of(rules: Rules, day: date) -> datetime:
    """The time at which a day begins in the zone of the settings, in UTC."""
    return datetime.combine(day, time(), rules.zone).astimezone(UTC)


def stored_day(day: date | None) -> date | UnsetType:
    """A day as causes and places have it: left out if no declared feature reads the day."""
    return UNSET if day is None else day
