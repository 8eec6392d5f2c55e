"""Rebuild a world in memory from its log, as `segue rebuild` does under a fresh prefix."""

from collections.abc import Callable, Mapping, Sequence

from streamer.in_memory import MemoryRedis, MemoryStore
from streamer.interfaces.lane_interfaces import Store
from streamer.refill.bootstrap_lanes import Fact
from streamer.refill.numbered_saves import finish
from streamer.refill.rebuild_lane import LaneFiller, decided_within
from streamer.segment.lane_day import date_of
from tests.support.worlds.lane_world import World
from tests.support.worlds.refolding import a_lane_log, a_past


def rebuilt(
    world: World,
    *committed: Mapping[str, int],
    anew: bool = False,
    warehouse: Sequence[Fact] | None = None,
    noted: Callable[[Store], Store] = lambda store: store,
) -> MemoryRedis:
    """Return the Redis that a rebuild of the lanes fills.

    The rebuild reads the committed offsets before it reads the decisions.

    Args:
        committed: the group's committed offsets, for each lane in turn.
        warehouse: the facts of the bootstrap, if there was one, grouped by user.
        noted: wraps the store that the rebuild uses.
    """
    fresh = MemoryRedis()
    for lane, offsets in enumerate(committed):
        _fill(world, noted(MemoryStore(fresh, lane)), lane, offsets, anew, warehouse)
    return fresh


def committed_in(world: World, lane: int) -> dict[str, int] | None:
    """The lane's committed offsets; None if an input has none."""
    offsets = {topic: world.kafka.offsets.get((topic, lane)) for topic in world.topics.inputs}
    told = {topic: at.offset for topic, at in offsets.items() if at is not None}
    return told if told.keys() == offsets.keys() else None


def _fill(
    world: World,
    store: Store,
    lane: int,
    committed: Mapping[str, int],
    anew: bool,
    warehouse: Sequence[Fact] | None,
) -> None:
    model = world.models.model
    assert model is not None
    filler = LaneFiller(lane, store, model, world.config, "rebuild 1", anew=anew)
    filler.look()
    filler.check(again=filler.unfinished)
    filler.begin()
    log, users = a_lane_log(world, lane), world.topics.users
    past = a_past(world, log, warehouse, decisions=True)
    until = decided_within(log.reader, users, log.bounds[users], committed, world.config.max_batch)
    past.go_to({**committed, users: until})
    filler.day = date_of(world.config.rules, world.now)
    topic_ids = {topic: log.bounds[topic].topic_id for topic in past.positions}
    filler.fill(past.states, past.positions, topic_ids, lambda _: None)
    finish([filler])
