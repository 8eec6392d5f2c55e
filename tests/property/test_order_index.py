"""Laws of the index of a user's orders: it tells what the orders would, without their being read."""

from collections.abc import Collection
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from schemas.input_events import Event, Order
from streamer.batch.batch_users import Users
from streamer.in_memory import MemoryRedis, MemoryStore
from streamer.interfaces.lane_interfaces import LoadedOrders
from streamer.place.place import Sweep
from streamer.user import order_index
from streamer.user.fold_events import fold, fold_all
from streamer.user.order_index import all_entries
from streamer.user.order_rules import Rules
from streamer.user.user_state import UserState
from tests.support.checks.refusing import refuse_none
from tests.support.inputs.laws import examples
from tests.support.strategies.events import START, histories, order_histories
from tests.support.strategies.features import RICH

RULES = Rules(exclude_statuses=frozenset({"Cancelled", "Returned"}), features=RICH)
SWEEP = Sweep(1, "m", 0, START, "v", "s")


class CountingStore(MemoryStore):
    """Counts whose orders are all read."""

    def __init__(self) -> None:
        self.redis = MemoryRedis()
        super().__init__(self.redis, 0)
        self.read_whole = 0

    def load_orders(self, user_ids: Collection[str]) -> LoadedOrders:
        self.read_whole += 1
        return super().load_orders(user_ids)


@examples(125)
@given(histories() | order_histories(), st.integers(1, 5))
def test_a_user_with_an_index_folds_as_the_whole_user_does(facts: list[Event], batch: int) -> None:
    store = CountingStore()
    for begin in range(0, len(facts), batch):
        some = facts[begin : begin + batch]
        named = {fact.order_id for fact in some if isinstance(fact, Order)}
        state = Users(store, {"7": named})
        indexed = state["7"].indexed
        read = store.read_whole
        for fact in some:
            state.put(state.apply("7", partial(fold, event=fact, rules=RULES)))
        if indexed and all(isinstance(fact, Order) for fact in some):
            assert store.read_whole == read
        place = store.redis.places.get(0)
        assert store.save(place, b"%d" % begin, state.writes(SWEEP, {}, RULES, None))
    whole = fold_all(UserState("7"), facts, RULES, refuse_none)
    held = Users(store, {"7": ()})["7"]
    assert held.facts == whole.facts
    assert held.indexed == (whole.facts.held > order_index.MOST_UNINDEXED)
    right = all_entries("7", whole.orders.values(), RULES) if held.indexed else frozenset()
    assert store.redis.users["7"].index == right if "7" in store.redis.users else not right
