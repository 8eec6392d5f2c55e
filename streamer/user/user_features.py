"""A user's features, from the facts of the user's state."""

from collections.abc import Mapping
from datetime import datetime

from schemas.features import Feature
from schemas.inputs.amounts import amount
from schemas.outputs.segment_change import FeatureValue
from streamer.user.order_rules import Rules
from streamer.user.order_values import ORDER_TIME, toss
from streamer.user.user_state import Facts, Tally, UserState

_MICROSECONDS_A_DAY = 86_400_000_000.0


def features(state: UserState, rules: Rules) -> dict[str, FeatureValue]:
    """The values of all declared features by name, in the declared order; None if a value is missing."""
    values = {feature.name: _value(state, feature) for feature in rules.features}
    for name in rules.booleans:
        value = values[name]
        values[name] = None if value is None else value == "true"
    return values


def _value(state: UserState, feature: Feature) -> FeatureValue:
    facts, source = state.facts, feature.source
    match feature.kind:
        case "count":
            return facts.counted or None
        case "distinct":
            return len(facts.tally(source)) or None
        case "most_frequent":
            return _most_frequent(state.user_id, facts.tally(source))
        case "sum":
            summed = facts.sums.get(source)
            return None if summed is None else amount(summed.total)
        case "mean":
            summed = facts.sums.get(source)
            return None if summed is None else amount(summed.total) / float(summed.count)
        case "min":
            return _amount(facts.least.get(source))
        case "max":
            return _amount(facts.most.get(source))
        case "interval":
            return _interval(facts)
        case "attribute" | "last":
            return _newest(state, source)


def _newest(state: UserState, source: str) -> FeatureValue:
    """The newest value of the profile, or of the orders; a source is in only one of them."""
    dated = state.facts.profile.get(source)
    if dated is not None:
        return dated.value
    latest = state.facts.latest.get(source)
    if latest is None:
        return None
    return amount(latest.value) if isinstance(latest.value, int) else latest.value


def _amount(extreme: int | None) -> float | None:
    return None if extreme is None else amount(extreme)


def _interval(facts: Facts) -> float | None:
    """The mean number of days between two orders in a row; None below two orders."""
    if facts.counted < 2:
        return None
    # In the order of sql/kinds/interval.sql, so that both round alike.
    passed = float(facts.most[ORDER_TIME] - facts.least[ORDER_TIME])
    return passed / float(facts.counted - 1) / _MICROSECONDS_A_DAY


def _most_frequent(user_id: str, tallies: Mapping[str, Tally]) -> str | None:
    """The value with the most items. A tie goes to the earliest value, then to the smallest :func:`toss`."""
    if not tallies:
        return None
    most = max(tally.items for tally in tallies.values())
    tied = {value: tally.first_at for value, tally in tallies.items() if tally.items == most}
    if len(tied) == 1:
        return next(iter(tied))
    first_at: datetime = min(tied.values())
    return min((value for value, at in tied.items() if at == first_at), key=lambda v: toss(user_id, v))
