"""Erasing a user, through a lane: one transaction, and no way back for what was said before."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import permutations

import pytest

from schemas.events import Event, Item, Order, Signup, UserErased
from streamer.interfaces import Log, OutRecord, Store
from streamer.memory import MemoryLog
from tests.worlds import TOPICS, World

START = datetime(2024, 5, 1, 8, tzinfo=UTC)
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

        log.commit = noted  # type: ignore[method-assign]
        return log, store


@pytest.mark.parametrize("arrival", list(permutations((*BEFORE, UserErased("7", ERASED_AT)))))
def test_facts_up_to_the_erasure_never_bring_the_user_back(arrival: Sequence[Event]) -> None:
    world = World(max_batch=1)
    world.send(*arrival)
    world.run()

    kept = world.redis.users["7"]
    assert kept.orders == {}
    assert set(kept.fields) == {"state"}
    assert kept.fields["state"] == b'{"facts":{"erased_at":"2024-05-01T12:00:00Z"}}'
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
