"""Erasing a user, through a lane: one transaction, and no way back for what was said before."""

from collections.abc import Mapping, Sequence
from itertools import permutations
from unittest.mock import patch

import pytest
from msgspec.structs import replace

from schemas.input_events import Event, Item, Order, Signup, UserErased
from schemas.outputs.segment_change import SegmentChange, UserErasedChange
from streamer.in_memory import MemoryLog
from streamer.interfaces.lane_interfaces import Log, OutRecord, Store
from streamer.user.stored.stored_formats import NEWEST
from tests.support.checks.moves import OLD, YOUNG
from tests.support.checks.stored_json import state_json
from tests.support.strategies.events import START
from tests.support.worlds.lane_world import TOPICS, World, check_promises, drain

ERASED_AT = START.replace(hour=12)
BEFORE: tuple[Event, ...] = (
    Signup("7", START, age=30, gender="F"),
    Order("7", "1", START.replace(hour=9), (Item(brand="Ön"),)),
    Order("7", "1", START.replace(hour=9), (Item(brand="Carhartt"),), updated_at=ERASED_AT),
)


class Commits:
    """Remembers the records of each transaction."""

    def __init__(self) -> None:
        self.transactions: list[list[OutRecord]] = []

    def wrap(self, log: Log, store: Store) -> tuple[Log, Store]:
        assert isinstance(log, MemoryLog)
        commit = log.commit

        def noted(records: Sequence[OutRecord], positions: Mapping[str, int]) -> dict[str, int]:
            self.transactions.append(list(records))
            return commit(records, positions)

        patch.object(log, "commit", noted).start()
        return log, store


@pytest.mark.parametrize("arrival", list(permutations((*BEFORE, UserErased("7", ERASED_AT)))))
def test_facts_up_to_the_erasure_never_bring_the_user_back(arrival: Sequence[Event]) -> None:
    world = World(max_batch=1)
    world.send(*arrival)
    world.run()

    kept = world.redis.users["7"]
    assert kept.orders == {}
    assert set(kept.fields) == {"state"}
    assert state_json(kept.fields["state"]) == {
        "facts": {"erased_at": "2024-01-01T12:00:00Z"},
        "format": NEWEST,
    }
    told = world.changes("7")
    assert told == [] or told[-1].kind == "erased"
    assert all(len(index) == 0 for index in world.redis.indexes.values())


def test_the_last_change_and_the_null_are_one_transaction() -> None:
    world, seen = World(), Commits()
    world.send(BEFORE[0], UserErased("7", ERASED_AT))
    lane = world.lane(wrap=seen.wrap)
    lane.take_over("a")
    while lane.step(0):
        pass

    (told,) = [records for records in seen.transactions if any(r.value is None for r in records)]
    assert [(record.topic, record.key) for record in told[-2:]] == [
        (TOPICS.changes, b"7"),
        (TOPICS.users, b"7"),
    ]
    assert b'"kind":"erased"' in (told[-2].value or b"")


def test_a_user_erased_is_gone_from_everywhere_but_a_tombstone() -> None:
    world = World()
    order = Order("7", "1", START, (Item(brand="Ön"),))
    world.send(YOUNG, order, UserErased("7", START.replace(hour=9)))
    world.run()
    last = world.changes("7")[-1]
    assert isinstance(last, UserErasedChange)
    assert last.sequence == len(world.changes("7"))
    users = world.records(TOPICS.users)
    assert (users[-1].key, users[-1].value) == (b"7", None)
    kept = world.redis.users["7"]
    assert kept.orders == {}
    assert set(kept.fields) == {"state"}
    assert b"Spain" not in kept.fields["state"]
    check_promises(world)


def test_a_user_erased_begins_anew_with_later_facts() -> None:
    world = World()
    world.send(YOUNG, UserErased("7", START.replace(hour=9)), replace(OLD, created_at=START.replace(hour=10)))
    world.run()
    ids = [change.event_id for change in world.changes("7")]
    assert [change.sequence for change in world.changes("7")] == [1, 2, 1]
    assert len(set(ids)) == 3
    check_promises(world)


def test_an_erasure_in_the_middle_of_what_is_known_ends_one_life_and_begins_another() -> None:
    world = World()
    world.send(YOUNG, OLD)
    lane = world.run()
    world.send(UserErased("7", START.replace(minute=30)))
    drain(lane)
    told = world.changes("7")
    assert [change.kind for change in told] == ["moved", "moved", "erased", "moved"]
    assert [change.sequence for change in told] == [1, 2, 3, 1]
    assert isinstance(told[-1], SegmentChange)
    assert told[-1].features["gender"] is None
    check_promises(world)


def test_erasing_a_user_that_has_no_segment_tells_nothing() -> None:
    world = World()
    world.send(UserErased("7", START.replace(hour=9)), YOUNG)
    world.run()
    assert world.changes() == []
    check_promises(world)


def test_an_erasure_of_a_user_whom_nobody_knows_stands_and_is_told() -> None:
    """What it erases may come later; a key that is no id of this shop would look the same."""
    world = World(max_batch=2)
    gone = UserErased("7", START.replace(hour=9))
    world.send(gone, gone, YOUNG, replace(YOUNG, user_id="8"), replace(gone, user_id="8"), gone)
    world.run()
    world.run()
    assert world.watcher.unknown == [(TOPICS.signups, 0)]
    assert world.changes("7") == []
    check_promises(world)
