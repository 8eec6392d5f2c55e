"""How each declared feature's value is read from a user's facts; made once for the settings."""

from collections.abc import Callable
from datetime import date
from functools import partial
from operator import attrgetter

from schemas.features import FIRST_ORDER, LAST_ORDER, SIGNUP, Feature
from schemas.inputs.amounts import amount
from schemas.outputs.segment_change import FeatureValue
from streamer.user.days import window_getters
from streamer.user.order_values import ORDER_TIME, most_frequent
from streamer.user.user_state import TALLIES, Facts, Tally

Day = date | None
Getter = Callable[[str, Facts, Day], FeatureValue]
"""Returns the value of a feature, from the user's id, the user's facts, and the day; None if the value is
missing. The day is None only if no declared feature reads it.
"""

_TalliesOf = Callable[[Facts], dict[str, Tally]]

_MICROSECONDS_A_DAY = 86_400_000_000.0


def getter_of(feature: Feature) -> Getter:
    """The getter of a declared feature."""
    get = _getter_of(feature) if feature.window is None else _in_window(feature, feature.window)
    return partial(_true_or_false, get) if feature.boolean else get


def _getter_of(feature: Feature) -> Getter:
    source = feature.source
    match feature.kind:
        case "count":
            return _count
        case "distinct":
            return partial(_distinct, _tallies_of(source))
        case "most_frequent":
            return partial(_most_frequent, _tallies_of(source))
        case "sum":
            return partial(_sum, source)
        case "mean":
            return partial(_mean, source)
        case "min":
            return partial(_least, source)
        case "max":
            return partial(_most, source)
        case "interval":
            return _interval
        case "days_since":
            return partial(_days_since, _DATES.get(source) or partial(_date_of_profile, source))
        case "attribute":
            return partial(_of_profile, source)
        case "last":
            of_user = feature.field is not None and feature.field.level == "user"
            return partial(_of_profile if of_user else _of_orders, source)


def _in_window(feature: Feature, days: int) -> Getter:
    match feature.kind:
        case "count":
            return partial(window_getters.count_in, days)
        case "sum":
            return partial(window_getters.sum_in, days, feature.source)
        case "mean":
            return partial(window_getters.mean_in, days, feature.source)
        case "distinct":
            return partial(window_getters.distinct_in, days, feature.source)
        case "most_frequent":
            return partial(window_getters.most_frequent_in, days, feature.source)
        case _:
            raise AssertionError(f"a {feature.kind} has no window")


def _tallies_of(source: str) -> _TalliesOf:
    """The function that gives a source's tallies, as :meth:`Facts.tally` does."""
    return attrgetter(TALLIES[source]) if source in TALLIES else lambda facts: facts.tally(source)


def _true_or_false(get: Getter, user_id: str, facts: Facts, day: Day) -> bool | None:
    value = get(user_id, facts, day)
    return None if value is None else value == "true"


def _count(_: str, facts: Facts, __: Day) -> int | None:
    return facts.counted or None


def _distinct(tallies_of: _TalliesOf, _: str, facts: Facts, __: Day) -> int | None:
    return len(tallies_of(facts)) or None


def _most_frequent(tallies_of: _TalliesOf, user_id: str, facts: Facts, _: Day) -> str | None:
    return most_frequent(user_id, tallies_of(facts))


def _sum(source: str, _: str, facts: Facts, __: Day) -> float | None:
    summed = facts.sums.get(source)
    return None if summed is None else amount(summed.total)


def _mean(source: str, _: str, facts: Facts, __: Day) -> float | None:
    summed = facts.sums.get(source)
    return None if summed is None else amount(summed.total) / float(summed.count)


def _least(source: str, _: str, facts: Facts, __: Day) -> float | None:
    extreme = facts.least.get(source)
    return None if extreme is None else amount(extreme)


def _most(source: str, _: str, facts: Facts, __: Day) -> float | None:
    extreme = facts.most.get(source)
    return None if extreme is None else amount(extreme)


def _interval(_: str, facts: Facts, __: Day) -> float | None:
    """The mean number of days between two orders in a row; None below two orders."""
    if facts.counted < 2:
        return None
    # In the order of sql/kinds/interval.sql, so that both round alike.
    passed = float(facts.most[ORDER_TIME] - facts.least[ORDER_TIME])
    return passed / float(facts.counted - 1) / _MICROSECONDS_A_DAY


def _of_profile(source: str, _: str, facts: Facts, __: Day) -> FeatureValue:
    dated = facts.profile.get(source)
    return None if dated is None else dated.value


def _of_orders(source: str, _: str, facts: Facts, __: Day) -> FeatureValue:
    latest = facts.latest.get(source)
    if latest is None:
        return None
    return amount(latest.value) if isinstance(latest.value, int) else latest.value


# Gives the ordinal of the date that counts at a day, also given as an ordinal; None if there is no date.
_DateAt = Callable[[Facts, int], int | None]


def _days_since(date_at: _DateAt, _: str, facts: Facts, day: Day) -> int | None:
    """The whole days from a date to the day; None if there is no date, or if it is after the day."""
    assert day is not None
    today = day.toordinal()
    since = date_at(facts, today)
    return None if since is None or since > today else today - since


def _last_order(facts: Facts, today: int) -> int | None:
    return max((day for day in facts.days if day <= today), default=None)


def _first_order(facts: Facts, _: int) -> int | None:
    return min(facts.days, default=None)


def _signup(facts: Facts, _: int) -> int | None:
    return min(facts.signups, default=None)


def _date_of_profile(source: str, facts: Facts, _: int) -> int | None:
    dated = facts.profile.get(source)
    return None if dated is None else date.fromisoformat(str(dated.value)).toordinal()


_DATES: dict[str, _DateAt] = {LAST_ORDER: _last_order, FIRST_ORDER: _first_order, SIGNUP: _signup}
