"""Law of the stored form: it gives back what was stored, and older formats still do."""

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.input_events import Item, Order
from schemas.inputs.decode import canonical
from schemas.times import EPOCH
from streamer.user.fold_events import fold
from streamer.user.order_rules import Rules
from streamer.user.stored.stored_state import decode, encode, pack_order, unpack_order
from streamer.user.user_state import Decided, Position, UserState
from tests.support.checks.stored_json import order_json, state_json
from tests.support.strategies import wire
from tests.support.strategies.features import RICH

pytestmark = pytest.mark.property

_RULES = Rules(features=RICH)
_MOST = 2**63 - 1
_HUGE = Order("7", "1", EPOCH, (Item("Ön", quantity=_MOST), Item("Ön", quantity=_MOST), Item("Ön", price=-1)))
_numbers = st.integers(0, 2**70)
_coordinates = st.floats(-9, 9)
_positions = st.none() | st.builds(Position, st.text(), st.tuples(_coordinates, _coordinates))


@given(wire.orders)
@example(_HUGE)
def test_an_order_is_stored_whole(order: Order) -> None:
    kept = replace(order, event_id=None, former=(replace(order, event_id=None, status="former"),))

    packed = pack_order(kept)

    unpacked = unpack_order(kept.user_id, kept.order_id, packed)
    assert unpacked == kept
    assert canonical(unpacked) == canonical(kept)  # 1 and 1.0 are equal, but not the same
    assert unpack_order(kept.user_id, kept.order_id, canonical(kept)) == kept
    assert msgspec.json.decode(order_json(kept.user_id, kept.order_id, packed)) == msgspec.json.decode(
        canonical(kept)
    )


@given(
    wire.orders,
    st.none() | st.builds(Position, st.text(), st.tuples(st.floats(-9, 9), st.floats(-9, 9))),
    _numbers,
)
@example(_HUGE, None, 0)
def test_a_state_is_stored_whole(order: Order, position: Position | None, number: int) -> None:
    folded = fold(UserState(order.user_id), order, _RULES)
    decided = Decided(number, "one", True, number, "v1", number, "T")
    state = replace(folded, decided=decided, position=position, entered=number, indexed=True)

    stored = encode(state)

    assert decode(order.user_id, stored, state.orders) == state
    # The same as JSON, as older versions wrote it.
    as_json = msgspec.json.encode({**state_json(stored), "format": 6})
    assert decode(order.user_id, as_json, state.orders) == state
