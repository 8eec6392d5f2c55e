"""Check the final contents of Redis besides the states: users' fields for readers, and lanes' places."""

from datetime import date, timedelta

from schemas.outputs.segment_change import SegmentChange
from schemas.outputs.wire import decode_change
from schemas.partitioner import partition_of
from streamer.in_memory import MemoryRedis
from streamer.place import place as places
from streamer.segment.active_model import ActiveModel
from streamer.segment.detect_change import kind_of
from streamer.user.history import FIELDS
from streamer.user.order_index import all_entries
from streamer.user.stored import stored_state as states
from streamer.user.stored.stored_state import unpack_order
from streamer.user.user_features import features
from tests.campaigns.simulation.broken import BrokenPromise, same
from tests.support.checks import feature_oracle
from tests.support.worlds.lane_world import World

_LOOK_AHEAD_DAYS = 60

_PLAIN = ("segment", "segment_name", "provisional", "sequence", "model_version", "activation")


def check_kept(world: World, model: ActiveModel) -> None:
    """Check all users and lanes, once all lanes have read to the end with this model."""
    facts, exclude = world.events(), world.config.rules.exclude_statuses
    # Without a feature of time: whether a user lives does not depend on the day.
    alive = {
        user_id for user_id in facts if feature_oracle.features(user_id, facts[user_id], exclude) is not None
    }
    same("users without any event", set(world.redis.users) - set(facts), set())
    for user_id in facts:
        _check_fields(world, user_id, model if user_id in alive else None)
        _check_index(world, user_id)
    for partition in range(world.partitions):
        of_lane = {user_id for user_id in alive if partition_of(user_id, world.partitions) == partition}
        _check_place(world, partition, of_lane)
        for user_id in of_lane:
            check_due(world, world.redis, user_id, model)


def check_due(world: World, redis: MemoryRedis, user_id: str, model: ActiveModel) -> None:
    """Check that a decided user is due no later than on the first day with another decision."""
    rules = world.config.rules
    lane = partition_of(user_id, world.partitions)
    today = places.decode(redis.places[lane]).decides_on
    state = states.decode(user_id, redis.users[user_id].fields.get("state"), {})
    if today is None or state.decided is None:
        return
    due = redis.due.get(lane, {}).get(user_id, date.max)
    for day in (today + timedelta(days=after) for after in range(_LOOK_AHEAD_DAYS)):
        score = model.scorer.score(features(state, rules, day), state.decided.segment, rules.min_margin)
        if due > day and kind_of(state.decided, score) is not None:
            raise BrokenPromise(f"{user_id} moves on {day}, and is due on {due}; the lane is on {today}")


def _check_fields(world: World, user_id: str, model: ActiveModel | None) -> None:
    """Check that a user has the values of the newest record and model; an erased user has no such values."""
    fields = world.redis.users[user_id].fields
    plain = {name: fields[name].decode() for name in _PLAIN if name in fields}
    if model is None:
        same(f"what an erased {user_id} has to read", plain, {})
        same(f"the history of an erased {user_id}", fields.keys() & set(FIELDS), set())
        return
    newest = [record.value for record in world.records(world.topics.users) if record.key == user_id.encode()]
    assert newest[-1] is not None
    change = decode_change(newest[-1])
    assert isinstance(change, SegmentChange)
    expected = (change.segment, change.segment_name, int(change.provisional), change.sequence)
    by = (model.release.version, model.activation)
    same(f"what {user_id} has to read", plain, dict(zip(_PLAIN, map(str, (*expected, *by)), strict=True)))


def _check_index(world: World, user_id: str) -> None:
    """Check that a user has a complete index of orders, or no index and at most one order."""
    user, indexed = world.redis.users[user_id], world.state(user_id).indexed
    orders = [unpack_order(user_id, order_id, held) for order_id, held in user.orders.items()]
    right = all_entries(user_id, orders, world.config.rules) if indexed else frozenset[str]()
    same(f"the index of {user_id}'s orders", sorted(user.index), sorted(right))
    same(f"whether {user_id} has an index", indexed, len(orders) > 1)


def _check_place(world: World, partition: int, alive: set[str]) -> None:
    """Check that a lane has read each of its present topics to the end and has swept each of its users."""
    place, topics = places.decode(world.redis.places[partition]), world.topics
    made = {topic: world.kafka.topics[topic] for topic in (*topics.inputs, topics.users)}
    ends = {topic: len(one.partitions[partition]) for topic, one in made.items()}
    ids = {topic: one.topic_id for topic, one in made.items()}
    same(f"where lane {partition} is", place.positions, ends)
    same(f"the topics of lane {partition}", place.topic_ids, ids)
    for topic in topics.inputs:
        offset = world.kafka.offsets.get((topic, partition))
        # The next event writes expired offsets again; offsets in a deleted topic stay.
        if offset is not None and offset.topic_id == ids[topic]:
            same(f"the group's offset of lane {partition} in {topic}", offset.offset, ends[topic])
    swept = dict.fromkeys(alive, place.sweep.number)
    same(f"whom lane {partition} has swept", world.redis.swept.get(partition, {}), swept)
