"""Check that a filled prefix has exactly the users of the log up to its places."""

from collections import defaultdict

from schemas.input_events import Event
from schemas.partitioner import partition_of
from streamer.place import place as places
from streamer.place.place import Place
from streamer.user.days.day_totals import without_days
from streamer.user.fold_events import fold_all
from streamer.user.stored import stored_state as states
from streamer.user.stored.stored_state import pack_order
from streamer.user.user_state import UserState
from tests.campaigns.simulation.broken import same
from tests.campaigns.simulation.check import read_event
from tests.campaigns.simulation.kept import check_due
from tests.campaigns.simulation.world import SimWorld
from tests.support.checks.refusing import refuse_none


def check_filled(world: SimWorld, prefix: str, partition: int) -> None:
    """Check a lane under a prefix, if a worker could continue from its place there."""
    redis = world.redises[prefix]
    stored = redis.places.get(partition)
    place = None if stored is None or partition in redis.torn else places.readable(stored)
    if (prefix, partition) in world.holes:
        return  # somebody deletes keys there
    if place is None or any(world.kafka.topics[t].topic_id != i for t, i in place.topic_ids.items()):
        return
    expected = _states(world, partition, place)
    ours = {user_id: user for user_id, user in redis.users.items() if _is_of(world, partition, user_id)}
    same(f"whom {prefix} has in lane {partition}", ours.keys(), expected.keys())
    for user_id, user in ours.items():
        state = states.decode(user_id, user.fields.get("state"), {})
        facts = expected[user_id].facts
        if place.decides_on is not None and state.facts.dropped_to:
            last = place.decides_on.toordinal() - world.config.rules.reach
            facts = without_days(facts, min(state.facts.dropped_to, last))
        same(f"the facts of {user_id} under {prefix}", state.facts, facts)
        orders = {k: pack_order(order) for k, order in expected[user_id].orders.items() if order is not None}
        same(f"the orders of {user_id} under {prefix}", user.orders, orders)
    alive = {user_id for user_id, state in expected.items() if state.facts.alive}
    same(f"whom a sweep under {prefix} would find", redis.swept.get(partition, {}).keys(), alive)
    model = world.published.newest
    for user_id in alive:
        if redis.swept[partition][user_id] == place.sweep.number and place.sweep.by(model):
            check_due(world, redis, user_id, model)


def _states(world: SimWorld, partition: int, place: Place) -> dict[str, UserState]:
    """Return the users' states, folded from the warehouse and from the log up to a place."""
    facts: dict[str, list[Event]] = defaultdict(list)
    for fact in world.warehouse:
        if _is_of(world, partition, fact.user_id):
            facts[fact.user_id].append(fact)
    for topic in world.topics.inputs:
        for record in world.kafka.topics[topic].partitions[partition][: place.positions[topic]]:
            event = read_event(world, record)
            if event is not None:
                facts[event.user_id].append(event)
    return {
        user_id: fold_all(UserState(user_id), events, world.config.rules, refuse_none)
        for user_id, events in facts.items()
    }


def _is_of(world: SimWorld, partition: int, user_id: str) -> bool:
    return partition_of(user_id, world.partitions) == partition
