"""The days to come on which a feature of time changes in a step, while nothing happens."""

from collections.abc import Iterable
from datetime import date

from schemas.features import FIRST_ORDER, LAST_ORDER, SIGNUP, Feature
from streamer.user.order_rules import Rules
from streamer.user.user_state import Facts, UserState


def break_days(state: UserState, rules: Rules, day: date) -> list[date]:
    """The days after ``day`` on which a feature may do anything but stay or grow by 1; ascending.

    ``days_since`` does so on a date ahead of the day, because the date counts from then on.
    """
    today = day.toordinal()
    of_time = [feature for feature in rules.features if feature.of_time]
    ahead = {then for feature in of_time for then in _dates_of(feature, state.facts) if then > today}
    return [date.fromordinal(then) for then in sorted(ahead)]


def _dates_of(feature: Feature, facts: Facts) -> Iterable[int]:
    """The ordinals of the dates that a ``days_since`` counts from, on one day or another."""
    if feature.source in (FIRST_ORDER, LAST_ORDER):
        return facts.days
    if feature.source == SIGNUP:
        return facts.signups
    dated = facts.profile.get(feature.source)
    return () if dated is None else (date.fromisoformat(str(dated.value)).toordinal(),)
