"""Laws of the fold: it agrees with a recomputation from all facts, in any order, any number of times."""

from datetime import date
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from schemas.input_events import Event, Order
from streamer.user.fold_events import fold
from streamer.user.fold_events import fold_all as fold_at_once
from streamer.user.order_rules import Rules
from streamer.user.stored.stored_state import decode, encode
from streamer.user.user_features import features
from streamer.user.user_state import OrdersMissing, UserState
from tests.support.checks import feature_oracle
from tests.support.checks.refusing import refuse_none
from tests.support.inputs.laws import examples
from tests.support.strategies.events import histories, order_histories, over_days
from tests.support.strategies.features import TIMED, ZONES, days, declarations

RULES = st.builds(
    Rules,
    exclude_statuses=st.sampled_from([frozenset[str](), frozenset({"Cancelled", "Returned"})]),
    features=declarations(),
)


# Facts over some days, and features that depend on the day.
DATED = (histories() | order_histories()).map(lambda facts: [over_days(fact) for fact in facts])
TIMED_RULES = st.builds(
    Rules,
    exclude_statuses=st.sampled_from([frozenset[str](), frozenset({"Cancelled", "Returned"})]),
    features=st.just(TIMED),
    time_zone=st.sampled_from(ZONES),
)


def fold_all(facts: list[Event], rules: Rules) -> UserState:
    state = UserState("7")
    for fact in facts:
        state = fold(state, fact, rules)
    return state


@examples(60)
@given(histories() | order_histories(), RULES)
def test_fold_equals_recomputation(facts: list[Event], rules: Rules) -> None:
    state = fold_all(facts, rules)
    expected = feature_oracle.features("7", facts, rules.exclude_statuses, rules.features)
    assert state.facts.alive == (expected is not None)
    if expected is not None:
        assert features(state, rules, None) == expected


@examples(60)
@given(DATED, TIMED_RULES, days())
def test_features_of_time_equal_recomputation_as_of_any_day(
    facts: list[Event], rules: Rules, day: date
) -> None:
    state = fold_all(facts, rules)
    expected = feature_oracle.features(
        "7", facts, rules.exclude_statuses, rules.features, day, rules.time_zone
    )
    assert expected is None or features(state, rules, day) == expected


@given(histories() | order_histories() | DATED, RULES | TIMED_RULES, st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_matter(facts: list[Event], rules: Rules, random: Random) -> None:
    shuffled = facts + [fact for fact in facts if random.random() < 0.3]
    random.shuffle(shuffled)
    assert fold_all(shuffled, rules) == fold_all(facts, rules)


@examples(60)
@given(histories() | order_histories() | DATED, RULES | TIMED_RULES)
def test_a_state_read_in_part_folds_as_the_whole_state_does(facts: list[Event], rules: Rules) -> None:
    """Between events only the stored form is kept, and only the order that the event names is read."""
    stored: bytes | None = None
    kept: dict[str, Order] = {}
    for fact in facts:
        named = {fact.order_id: kept.get(fact.order_id)} if isinstance(fact, Order) else {}
        state = decode("7", stored, named)
        try:
            state = fold(state, fact, rules)
        except OrdersMissing:
            state = fold(decode("7", stored, dict(kept)), fact, rules)
            kept = {}
        kept |= {order_id: order for order_id, order in state.orders.items() if order is not None}
        stored = encode(state)
    whole = fold_all(facts, rules)
    assert decode("7", stored, dict(kept)).facts == whole.facts
    assert kept == {k: v for k, v in whole.orders.items() if v is not None}


@given(histories(), RULES)
def test_what_the_fold_is_given_stays_as_it_was(facts: list[Event], rules: Rules) -> None:
    state = UserState("7")
    for fact in facts:
        before = encode(state), dict(state.orders)
        after = fold(state, fact, rules)
        assert (encode(state), dict(state.orders)) == before
        state = after


@given(histories() | order_histories(), histories(), RULES)
def test_many_facts_at_once_give_what_they_give_one_by_one(
    before: list[Event], facts: list[Event], rules: Rules
) -> None:
    state = fold_all(before, rules)
    kept = dict(state.orders)
    assert fold_at_once(state, facts, rules, refuse_none) == fold_all(before + facts, rules)
    assert state.orders == kept
