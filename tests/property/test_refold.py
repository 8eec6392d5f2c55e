"""Whatever came, the log folded again is what a lane's Redis holds at the lane's place."""

from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from schemas.input_events import Event
from tests.support.inputs.laws import examples
from tests.support.strategies.events import histories
from tests.support.worlds.lane_world import World
from tests.support.worlds.refolding import a_refold, differing, position_of

shops = st.tuples(histories("7"), histories("21"), histories("España")).map(
    lambda of_users: [event for history in of_users for event in history]
)
# How many users and orders lie in memory, the others being on disk.
in_memory = st.sampled_from([0, 2, 100_000])
some_settings = examples(30)


@some_settings
@given(shops, st.sampled_from([(), ("Cancelled", "Returned")]), st.integers(1, 5), in_memory)
def test_at_every_place_of_a_living_lane(
    events: list[Event], exclude: tuple[str, ...], batch: int, most: int
) -> None:
    world = World(1, exclude=exclude, max_batch=batch)
    world.send(*events)
    lane = world.take_over()
    past = a_refold(world)
    with patch("streamer.refill.kept_states.MOST", most):
        while True:
            past.go_to(position_of(world))
            assert differing(world, past) == {}
            if not lane.step(0.0):
                break
    assert past.records == len(events) + len(world.records(world.topics.users))


@some_settings
@given(shops, shops)
def test_after_redis_was_emptied_and_healed(events: list[Event], more: list[Event]) -> None:
    world = World(1)
    world.send(*events)
    world.run()
    world.lose_redis()
    world.send(*more)
    world.run()

    past = a_refold(world)
    past.go_to(position_of(world))

    assert differing(world, past) == {}


@some_settings
@given(shops)
def test_each_lane_has_its_own_users(events: list[Event]) -> None:
    world = World(2)
    world.send(*events)
    world.run_all()
    pasts = [a_refold(world, lane) for lane in (0, 1)]
    for lane, past in enumerate(pasts):
        past.go_to(position_of(world, lane))
        assert differing(world, past, lane) == {}
    found = [{state.user_id for state in past.states} for past in pasts]
    assert not found[0] & found[1]
    assert {event.user_id for event in events} == found[0] | found[1]
