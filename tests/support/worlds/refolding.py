"""A second fold of a world's lane, and the contents of its Redis, for tests that compare both."""

from collections.abc import Mapping, Sequence

from segue.refill.lane_past import LaneLog, past_of
from streamer.in_memory import MemoryLog
from streamer.place import place as places
from streamer.place.redis_keys import due_score
from streamer.refill.bootstrap_lanes import Fact
from streamer.refill.compare_states import Difference, Kept, differences
from streamer.refill.refold import Refold
from streamer.segment.active_model import ActiveModel
from tests.support.worlds.lane_world import World


def a_lane_log(world: World, lane: int = 0) -> LaneLog:
    """Return a lane's log, opened as a command does."""
    log = MemoryLog(world.kafka, lane, world.topics.inputs)
    topics = world.topics
    bounds = {topic: log.watch(topic) for topic in (*topics.inputs, topics.users, topics.changes)}
    return LaneLog(lane, log, log.committed(), bounds)


def a_past(world: World, log: LaneLog, warehouse: Sequence[Fact] | None = None, *, decisions: bool) -> Refold:
    """Return a refold of a lane, at the beginning of its past.

    Args:
        warehouse: the facts of the bootstrap, if there was one, grouped by user.
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
    """Return a refold of a lane with its decisions, at the start of its log."""
    log = a_lane_log(world, partition)
    topics = (*world.topics.inputs, world.topics.users)
    return Refold(log.reader, world.config, dict.fromkeys(topics, 0))


def position_of(world: World, partition: int = 0) -> Mapping[str, int]:
    """Return the positions of a lane's place in Redis."""
    return places.decode(world.redis.places[partition]).positions


def kept(world: World, user_id: str, partition: int = 0) -> Kept:
    """Return all that Redis holds of a user."""
    user = world.redis.users.get(user_id)
    fields = {} if user is None else {**user.fields, **{f"o:{k}": order for k, order in user.orders.items()}}
    angles = {
        space: at
        for space, index in world.redis.indexes.items()
        for found, at in index.nearest(0.0, len(index))
        if found == user_id
    }
    due = world.redis.due.get(partition, {}).get(user_id)
    return Kept(
        fields,
        angles,
        user_id in world.redis.swept.get(partition, {}),
        frozenset(() if user is None else user.index),
        None if due is None else due_score(due),
    )


def differing(world: World, past: Refold, partition: int = 0) -> dict[str, list[Difference]]:
    """Return the differences between a lane's Redis and its log, for each user who has any."""

    def of_space(space: str, version: str | None) -> ActiveModel | None:
        model = world.models.model
        return model if model is not None and model.release.space == space else None

    day = places.decode(world.redis.places[partition]).decides_on
    in_redis = world.redis.swept.get(partition, {}).keys()
    found = {
        user_id: differences(
            past.states.get(user_id), kept(world, user_id, partition), of_space, world.config.rules, day
        )
        for user_id in {*(state.user_id for state in past.states), *in_redis}
    }
    return {user_id: differs for user_id, differs in found.items() if differs}
