"""What the commands over all users hold in memory does not grow with the users, nor with those who differ."""

import tracemalloc
from collections.abc import Callable, Mapping, Sequence

import pytest

from schemas.partitioner import partition_of
from segue.refill import lane_verify
from streamer.batch import read_batch
from streamer.place.place import Place
from streamer.refill import kept_states
from streamer.refill.compare_states import Kept
from tests.campaigns.refill import memory
from tests.campaigns.refill.made_up import Shop

FEW, MANY = 4_000, 12_000
# Of 8,000 users more, states would take about 16 MB, and their ids in a set 0.8 MB.
MAY_GROW_BYTES = 500_000


@pytest.fixture(autouse=True)
def _little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_states, "MOST", 1_000)
    monkeypatch.setattr(lane_verify, "_AGAIN_S", 0.0)
    # A cache of some 10 MB, which so few users do not fill.
    monkeypatch.setattr(read_batch, "_known_partition_of", partition_of)


def taken(run: Callable[[Shop], int], users: int) -> int:
    """The most bytes of Python's that a command holds at a time."""
    shop = Shop(users)
    tracemalloc.start()
    try:
        assert run(shop) == users
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


class EmptyLane:
    """Redis has nobody."""

    def __init__(self, shop: Shop) -> None:
        self._place = shop.place

    def read(self, user_ids: Sequence[str]) -> tuple[Place, Mapping[str, Kept]]:
        return self._place, dict.fromkeys(user_ids, Kept({}, {}, swept=False))


def everybody_differs(shop: Shop) -> int:
    users, differing = memory.compared(shop, EmptyLane(shop))
    assert differing == users
    return users


COMMANDS = {**memory.COMMANDS, "verify": everybody_differs}


@pytest.mark.wide
@pytest.mark.parametrize("command", COMMANDS)
def test_memory_does_not_grow_with_the_users(command: str) -> None:
    run = COMMANDS[command]
    run(Shop(100))  # what is loaded once
    few, many = taken(run, FEW), taken(run, MANY)
    print(command, few, many)
    assert many - few < MAY_GROW_BYTES, f"{few:,} bytes of {FEW:,} users, {many:,} of {MANY:,}"


def test_a_command_that_takes_more_of_more_users_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    peaks = {1_000: 60.0, 100_000: 200.0, 1_000_000: 249.0, 10_000_000: 251.0}
    monkeypatch.setattr(memory, "measured", lambda _, users: memory.Measured(users, 1.0, peaks[users]))
    memory.tell([1_000, 100_000, 1_000_000])
    with pytest.raises(AssertionError, match="segue bootstrap takes 51 MB more of more users"):
        memory.tell([100_000, 10_000_000])
