"""Bootstrap a world in memory, and read its results."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from schemas.input_events import Item, Order
from schemas.outputs.segment_change import SegmentChange, UserErasedChange
from schemas.outputs.wire import decode_change
from streamer.in_memory import MemoryLog, MemoryStore
from streamer.interfaces.lane_interfaces import Log, Store
from streamer.refill.bootstrap_lanes import Fact, Filled, LaneEnds, bootstrap
from streamer.segment.active_model import BootstrapRecord
from tests.support.strategies.events import START
from tests.support.worlds.lane_world import NOW, World

Wrap = Callable[[Log, Store], tuple[Log, Store]]


T = START.replace(day=2)
SINCE = START.replace(day=3)
_writers = itertools.count(1)


def an_order(order_id: str, brand: str, at: datetime = START, user_id: str = "7") -> Order:
    return Order(user_id, order_id, at, (Item(brand=brand),))


def fill(
    world: World,
    facts: Sequence[Fact],
    *,
    positions: Mapping[int, Mapping[str, int]] | int = 0,
    wrap: Wrap = lambda log, store: (log, store),
    announce: Callable[[], None] = lambda: None,
    writer: str | None = None,
) -> Filled:
    """Bootstrap all lanes of a world.

    Args:
        positions: the offsets at which the log continues, by lane and input, or one offset for all.
    """
    model = world.models.model
    assert model is not None
    inputs = world.topics.inputs
    start = {
        lane: dict.fromkeys(inputs, positions) if isinstance(positions, int) else dict(positions[lane])
        for lane in range(world.partitions)
    }
    ends = {}
    for lane in range(world.partitions):
        log, store = wrap(MemoryLog(world.kafka, lane, inputs), MemoryStore(world.redis, lane))
        ends[lane] = LaneEnds(log, store, start[lane])

    def announced() -> None:
        announce()
        world.models.bootstrapped = BootstrapRecord(
            "2024-01-02T00:00:00Z", {str(lane): offsets for lane, offsets in start.items()}
        )

    return bootstrap(
        ends,
        iter(facts),
        T,
        model,
        world.config,
        clock=lambda: NOW,
        writer=writer or f"bootstrap {next(_writers)}",
        announce=announced,
        progress=lambda users: None,
    )


def newest(world: World, user_id: str) -> SegmentChange | None:
    """Return the change in the user's newest record on ``user-segments``; None for a tombstone."""
    told = [record.value for record in world.records(world.topics.users) if record.key == user_id.encode()]
    change = None if told[-1] is None else decode_change(told[-1])
    assert not isinstance(change, UserErasedChange)
    return change
