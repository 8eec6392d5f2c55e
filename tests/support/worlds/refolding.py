"""A world's lane folded again, and what its Redis holds, for tests that compare the two."""

from collections.abc import Mapping, Sequence

from segue.refill.lane_past import LaneLog, past_of
from streamer.in_memory import MemoryLog
from streamer.place import place as places
from streamer.refill.bootstrap_lanes import Fact
from streamer.refill.compare_states import Difference, Kept, differences
from streamer.refill.refold import Refold
from streamer.segment.active_model import ActiveModel
from tests.support.worlds.lane_world import World


def a_lane_log(world: World, lane: int = 0) -> LaneLog:
    """A lane's log as a command opens it."""
    log = MemoryLog(world.kafka, lane, world.topics.inputs)
    topics = world.topics
    bounds = {topic: log.watch(topic) for topic in (*topics.inputs, topics.users, topics.changes)}
    return LaneLog(lane, log, log.committed(), bounds)


def a_past(world: World, log: LaneLog, warehouse: Sequence[Fact] | None = None, *, decisions: bool) -> Refold:
    """A lane where its past begins.

    Args:
        warehouse: the facts that a bootstrap took the users from, user by user, where there was one.
    """
    known = {user_id: world.state(user_id).facts.erased_at for user_id in world.redis.users}
    return past_of(
        log,
        world.config,
        world.models.bootstrapped,
        None if warehouse is None else lambda _: warehouse,
        decisions=decisions,
        erased=[(user_id, at) for user_id, at in known.items() if at is not None],
        progress=lambda _: None,
    )


def a_refold(world: World, partition: int = 0) -> Refold:
    """A lane at the start of its log, with decisions."""
    log = a_lane_log(world, partition)
    topics = (*world.topics.inputs, world.topics.users)
    return Refold(log.reader, world.config, dict.fromkeys(topics, 0))


def position_of(world: World, partition: int = 0) -> Mapping[str, int]:
    """How far Redis has come in a lane."""
    return places.decode(world.redis.places[partition]).positions


def kept(world: World, user_id: str, partition: int = 0) -> Kept:
    """What Redis holds of a user."""
    user = world.redis.users.get(user_id)
    fields = {} if user is None else {**user.fields, **{f"o:{k}": order for k, order in user.orders.items()}}
    angles = {
        space: at
        for space, index in world.redis.indexes.items()
        for found, at in index.nearest(0.0, len(index))
        if found == user_id
    }
    return Kept(
        fields,
        angles,
        user_id in world.redis.swept.get(partition, {}),
        frozenset(() if user is None else user.index),
    )


def differing(world: World, past: Refold, partition: int = 0) -> dict[str, list[Difference]]:
    """By user, what differs between a lane's Redis and its log; users that do not are left out."""

    def of_space(space: str, version: str | None) -> ActiveModel | None:
        model = world.models.model
        return model if model is not None and model.release.space == space else None

    in_redis = world.redis.swept.get(partition, {}).keys()
    found = {
        user_id: differences(
            past.states.get(user_id), kept(world, user_id, partition), of_space, world.config.rules
        )
        for user_id in {*(state.user_id for state in past.states), *in_redis}
    }
    return {user_id: differs for user_id, differs in found.items() if differs}
