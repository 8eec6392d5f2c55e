"""The days on which features of time change by more than one more day since a date."""

from collections.abc import Iterator
from datetime import date

from schemas.features import COUNTED, FIRST_ORDER, LAST_ORDER, SIGNUP, Feature
from streamer.user.order_rules import Rules
from streamer.user.user_state import DayTotals, Facts, UserState


def next_change_days(state: UserState, rules: Rules, day: date) -> tuple[date, ...]:
    """The later days on which a window gains or loses orders, or a date that is ahead begins to count.

    On all other days, if nothing happens, each feature over a window stays as it is, and each ``days_since``
    grows by one or stays missing.

    Args:
        state: the user's state.
        rules: the settings; their features are looked at.
        day: the present day.

    Returns:
        The days in ascending order. A day after the calendar's end is left out.
    """
    changes = {at for feature in rules.features if feature.of_time for at in _changes(feature, state.facts)}
    today, last = day.toordinal(), date.max.toordinal()
    return tuple(date.fromordinal(at) for at in sorted(changes) if today < at <= last)


def _changes(feature: Feature, facts: Facts) -> Iterator[int]:
    if feature.window is not None:
        for day, totals in facts.totals.items():
            if _holds(totals, feature.source):
                yield day
                yield day + feature.window
    elif feature.source == LAST_ORDER:
        yield from facts.days
    elif feature.source == FIRST_ORDER:
        yield min(facts.days, default=0)
    elif feature.source == SIGNUP:
        yield min(facts.signups, default=0)
    elif (dated := facts.profile.get(feature.source)) is not None:
        yield date.fromisoformat(str(dated.value)).toordinal()


def _holds(totals: DayTotals, source: str) -> bool:
    return source == COUNTED or source in totals.sums or source in totals.tallies
