"""The day on which a user must be decided again, as long as nothing better is known: tomorrow."""

from datetime import date, timedelta

from streamer.segment.active_model import ActiveModel
from streamer.user.order_rules import Rules
from streamer.user.user_state import UserState


def due_day(_: UserState, __: ActiveModel, rules: Rules, day: date) -> date | None:
    """The first day after ``day`` on which the decision may be another; None if there is no such day."""
    return day + timedelta(days=1) if rules.of_time and day < date.max else None
