"""A rebuild beside a living lane: whoever takes the lane over under the new prefix keeps every promise."""

from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from schemas.input_events import Event, Signup, UserErased
from streamer.place import place as places
from streamer.user.history import FIELD_PREFIX
from tests.support.inputs.laws import examples
from tests.support.strategies.events import histories
from tests.support.worlds.bootstraps import fill
from tests.support.worlds.lane_world import NOW, World, check_promises, drain
from tests.support.worlds.rebuilds import rebuilt
from tests.support.worlds.refolding import a_lane_log, a_past, a_refold, differing, position_of

shops = st.tuples(histories("7"), histories("21"), histories("España")).map(
    lambda of_users: [event for history in of_users for event in history]
)
some_settings = examples(30)


def histories_of(world: World) -> dict[str, dict[str, bytes]]:
    """By user, the fields that tell when and why it entered each segment."""
    found = {
        user_id: {name: value for name, value in user.fields.items() if name.startswith(FIELD_PREFIX)}
        for user_id, user in world.redis.users.items()
    }
    return {user_id: fields for user_id, fields in found.items() if fields}


@some_settings
@given(st.lists(shops, min_size=1, max_size=3), shops, st.integers(1, 4), st.data())
def test_a_lane_taken_over_under_the_new_prefix(
    parts: list[list[Event]], more: list[Event], max_batch: int, data: st.DataObject
) -> None:
    world = World(1, max_batch=max_batch)
    lane = world.take_over()
    cuts = [lane.positions]
    for part in parts:
        world.send(*part)
        while lane.step(0.0):
            cuts.append(lane.positions)
    committed = data.draw(st.sampled_from(cuts), label="committed")

    with patch(
        "streamer.refill.kept_states.MOST", data.draw(st.sampled_from([0, 2, 100_000]), label="in memory")
    ):
        fresh = rebuilt(world, committed)
    world.send(*more)
    drain(lane)  # the old prefix is worked on meanwhile
    told, histories = world.changes(), histories_of(world)
    world.redis = fresh
    world.run()

    assert world.changes() == told  # a takeover decides nothing anew
    assert histories_of(world) == histories
    check_promises(world)
    past = a_refold(world)
    past.go_to(position_of(world))
    assert differing(world, past) == {}


def test_a_decision_of_a_later_life_is_not_adopted_before_its_erasure_is_folded() -> None:
    world = World(1, max_batch=1)
    lane = world.take_over()
    world.send(Signup("7", NOW.replace(hour=1), age=20))
    drain(lane)
    committed = lane.positions
    world.send(UserErased("7", NOW.replace(hour=2)), Signup("7", NOW.replace(hour=3), age=30))
    drain(lane)

    world.redis = rebuilt(world, committed)

    assert places.decode(world.redis.places[0]).positions[world.topics.users] == 1
    world.run()
    decided = world.state("7").decided
    assert decided is not None
    assert decided.sequence == 1
    check_promises(world)


def test_under_other_settings_a_sweep_decides_every_user_again() -> None:
    world = World(1)
    lane = world.take_over()
    world.send(*(Signup(str(number), NOW, age=20 + number) for number in range(5)))
    drain(lane)

    kept, anew = rebuilt(world, lane.positions), rebuilt(world, lane.positions, anew=True)

    assert set(kept.swept[0].values()) == {1}
    assert anew.swept[0] == dict.fromkeys("01234", 0)
    assert places.decode(anew.places[0]).sweep.number == 1


@some_settings
@given(shops, shops, st.data())
def test_after_a_bootstrap_from_a_warehouse_that_lacks_facts(
    past: list[Event], since: list[Event], data: st.DataObject
) -> None:
    """Whose facts it lacks keeps the newest decision, and verify and rebuild agree with that."""
    world = World(1)
    world.send(*past)
    world.run()
    ends = {topic: len(world.kafka.topics[topic].partitions[0]) for topic in world.topics.inputs}
    facts = [event for event in past if not isinstance(event, UserErased)]
    there = [fact for fact in facts if data.draw(st.booleans(), label="in the warehouse")]
    world.lose_redis()
    world.kafka.offsets.clear()
    fill(world, there, positions={0: ends})
    world.send(*since)
    lane = world.run()

    for redis in (world.redis, rebuilt(world, lane.positions, warehouse=there)):
        world.redis = redis
        refolded = a_past(world, a_lane_log(world), there, decisions=True)
        refolded.go_to(position_of(world))
        assert differing(world, refolded) == {}
