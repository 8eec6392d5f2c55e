"""A rebuild of a world in memory: what `segue rebuild` makes of its log, under a fresh prefix."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import SimpleNamespace

from segue.lane_past import Fact, past_of
from streamer.memory import MemoryLog, MemoryRedis, MemoryStore
from streamer.rebuild import LaneFiller, decided_within
from tests.worlds import World


def rebuilt(
    world: World, *committed: Mapping[str, int], anew: bool = False, warehouse: Sequence[Fact] | None = None
) -> MemoryRedis:
    """What a rebuild makes of the lanes, that asked for the offsets before the decisions.

    Args:
        committed: of each lane in turn, up to where its group has decided.
        warehouse: the facts that a bootstrap took the users from, user by user, where there was one.
    """
    fresh = MemoryRedis()
    for lane, offsets in enumerate(committed):
        _fill(world, fresh, lane, offsets, anew, warehouse)
    return fresh


def committed_in(world: World, lane: int) -> dict[str, int] | None:
    """Up to where a lane's group has decided; None where it has not said so of every input."""
    offsets = {topic: world.kafka.offsets.get((topic, lane)) for topic in world.topics.inputs}
    told = {topic: at.offset for topic, at in offsets.items() if at is not None}
    return told if told.keys() == offsets.keys() else None


def _erasures(world: World) -> dict[str, datetime]:
    """Those that the states know which the rebuild finds."""
    known = {user_id: world.state(user_id).facts.erased_at for user_id in world.redis.users}
    return {user_id: at for user_id, at in known.items() if at is not None}


def _fill(
    world: World,
    fresh: MemoryRedis,
    lane: int,
    committed: Mapping[str, int],
    anew: bool,
    warehouse: Sequence[Fact] | None,
) -> None:
    model = world.models.model
    assert model is not None
    filler = LaneFiller(lane, MemoryStore(fresh, lane), model, world.config, "rebuild 1", anew=anew)
    filler.begin(again=filler.look())
    log = MemoryLog(world.kafka, lane, world.topics.inputs)
    users = world.topics.users
    bounds = {topic: log.bounds(topic) for topic in (*world.topics.inputs, users)}
    past = past_of(
        SimpleNamespace(lane=lane, reader=log, bounds=bounds),  # type: ignore[arg-type]
        world.config,
        world.models.bootstrapped,
        None if warehouse is None else lambda _: warehouse,
        decisions=True,
        erased=_erasures(world),
        progress=lambda _: None,
    )
    until = decided_within(log, users, bounds[users], committed, world.config.max_batch)
    past.go_to({**committed, users: until})
    topic_ids = {topic: told.topic_id for topic, told in bounds.items()}
    filler.fill(past.states.values(), past.positions, topic_ids, lambda _: None)
    filler.place()
