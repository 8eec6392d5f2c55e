"""Laws of windows of days: a day that was dropped changes nothing, and values change on known days only."""

from datetime import date, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from schemas.input_events import Event, Order
from streamer.user.days.changing_days import next_change_days
from streamer.user.days.day_totals import pruned
from streamer.user.fold_events import fold, fold_all, holds_together
from streamer.user.order_rules import Rules
from streamer.user.stored.stored_state import decode, encode
from streamer.user.user_features import features
from streamer.user.user_state import OrdersMissing, UserState
from tests.support.checks import feature_oracle
from tests.support.checks.refusing import refuse_none
from tests.support.inputs.laws import examples
from tests.support.strategies.events import histories, order_histories, over_days
from tests.support.strategies.features import TIMED, ZONES

DATED = (histories() | order_histories()).map(lambda facts: [over_days(fact) for fact in facts])
RULES = st.builds(
    Rules,
    exclude_statuses=st.sampled_from([frozenset[str](), frozenset({"Cancelled", "Returned"})]),
    features=st.sampled_from([TIMED, tuple(f for f in TIMED if f.window in (1, 3))]),
    time_zone=st.sampled_from(ZONES),
)
NEW_YEAR = date(2024, 1, 1)


@examples(125)
@given(DATED, RULES, st.randoms(use_true_random=False))
def test_days_that_are_dropped_on_the_way_never_count_again(
    facts: list[Event], rules: Rules, random: Random
) -> None:
    """The day goes on between the events, and only the stored form and the named order are read."""
    stored: bytes | None = None
    kept: dict[str, Order] = {}
    day = NEW_YEAR - timedelta(days=1)
    for fact in facts:
        day += timedelta(days=random.choice([0, 0, 1]))
        named = {fact.order_id: kept.get(fact.order_id)} if isinstance(fact, Order) else {}
        try:
            state = fold(decode("7", stored, named), fact, rules)
        except OrdersMissing:
            state = fold(decode("7", stored, dict(kept)), fact, rules)
            kept = {}
        kept |= {order_id: order for order_id, order in state.orders.items() if order is not None}
        stored = encode(pruned(state, rules, day))
    state = pruned(decode("7", stored, dict(kept)), rules, day)
    assert holds_together(state, rules)
    assert state.facts == pruned(fold_all(UserState("7"), facts, rules, refuse_none), rules, day).facts
    assert all(at > day.toordinal() - rules.reach for at in state.facts.totals)
    expected = feature_oracle.features(
        "7", facts, rules.exclude_statuses, rules.features, day, rules.time_zone
    )
    assert expected is None or features(state, rules, day) == expected


@given(DATED, RULES)
def test_features_change_in_no_other_way_between_the_days_of_change(facts: list[Event], rules: Rules) -> None:
    state = fold_all(UserState("7"), facts, rules, refuse_none)
    begin = NEW_YEAR - timedelta(days=3)
    changes = next_change_days(state, rules, begin)
    assert list(changes) == sorted(set(changes))
    before = features(state, rules, begin)
    for more in range(1, 110):
        day = begin + timedelta(days=more)
        now = features(state, rules, day)
        if day not in changes:
            for feature in rules.features:
                was = before[feature.name]
                older = 1 if feature.window is None and was is not None else 0
                assert now[feature.name] == (was if was is None or not older else was + older)  # type: ignore[operator]
        before = now
    assert all(begin < day < begin + timedelta(days=110) for day in changes)
