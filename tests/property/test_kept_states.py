"""States that are kept partly on disk are what a dictionary of them holds."""

from contextlib import closing
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from schemas.input_events import Event
from streamer.refill.kept_states import KeptStates
from streamer.user.fold_events import fold_all
from streamer.user.order_rules import Rules
from streamer.user.user_state import UserState
from tests.support.checks.refusing import refuse_none
from tests.support.inputs.laws import examples
from tests.support.strategies.events import histories
from tests.support.strategies.features import RICH

IDS = ("7", "21", "España", "a\x00b")
RULES = Rules("", frozenset(), RICH)

some_events = (
    st.tuples(*map(histories, IDS))
    .map(lambda of_users: [event for history in of_users for event in history])
    .flatmap(st.permutations)
)
# Whose state is taken away after an event; mostly nobody's.
taken = st.lists(st.sampled_from([*IDS, None, None, None, None]), min_size=1)


@examples(40)
@given(some_events, taken, st.integers(0, 8))
def test_as_a_dictionary(events: list[Event], taken: list[str | None], most: int) -> None:
    right: dict[str, UserState] = {}
    with patch("streamer.refill.kept_states.MOST", most), closing(KeptStates()) as kept:
        for number, event in enumerate(events):
            user_id = event.user_id
            assert kept.get(user_id) == right.get(user_id, UserState(user_id))
            right[user_id] = fold_all(kept.get(user_id), [event], RULES, refuse_none)
            kept.put(right[user_id])
            gone = taken[number % len(taken)]
            if gone is not None:
                assert kept.pop(gone) == right.pop(gone, UserState(gone))
            if number % 3 == 0:
                assert {state.user_id: state for state in kept} == right
        assert {state.user_id: state for state in kept} == right
        assert set(kept.ids_after(0)[1]) == right.keys()
