"""A replay's users are due on the right day, also if their position is of an earlier day.

By ``a_recency_release`` a user is in segment 0 up to 5 days after the last order, then in 1.
"""

from datetime import UTC, date, datetime, timedelta

import pytest

from schemas.input_events import Item, Order
from schemas.outputs.segment_change import Cause
from streamer.batch.read_batch import Incoming
from streamer.batch.refusals import Refusals
from streamer.interfaces.lane_interfaces import Record
from streamer.refill.replay_lane import Replay
from streamer.user.order_rules import Rules
from streamer.user.user_state import UserState
from tests.support.worlds.made_up_release import RECENCY, a_recency_release, an_active_model

pytestmark = pytest.mark.unit

FIRST, MOVES = date(2024, 6, 1), date(2024, 6, 7)
NOW = datetime(2024, 6, 1, tzinfo=UTC)


def a_replay(*states: UserState) -> Replay:
    model = an_active_model(release=a_recency_release())
    return Replay({state.user_id: state for state in states}, model, Rules(features=(RECENCY,)), Refusals())


def the_order(offset: int) -> Incoming:
    order = Order("7", "1", NOW, (Item("Ön"),))
    record = Record("orders", 0, offset, b"7", b"", 0)
    return Incoming(order, Cause("order", "orders", 0, offset, positions={}), 0, "orders", offset, record)


def decided_on(replay: Replay, day: date) -> list[int]:
    changes = [change for _, some in replay.decide_due(day, NOW) for change in some]
    return [change.segment for change in changes if change.kind == "moved"]


def test_an_event_that_changes_nothing_leaves_the_due_day() -> None:
    replay = a_replay()
    replay.apply(the_order(0), NOW, FIRST)
    assert replay.apply(the_order(1), NOW, FIRST + timedelta(days=3)) == ()
    assert decided_on(replay, MOVES - timedelta(days=1)) == []
    assert decided_on(replay, MOVES) == [1]


def test_a_replay_that_begins_later_counts_from_its_own_day() -> None:
    before = a_replay()
    before.apply(the_order(0), NOW, FIRST)
    replay = a_replay(before.state("7"))
    replay.begin(FIRST + timedelta(days=3), ())
    assert decided_on(replay, MOVES) == [1]
