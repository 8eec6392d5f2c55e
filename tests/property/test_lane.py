"""Laws of a lane: whatever crashes, is paused or lost, the promises hold."""

from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from functools import partial
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.features import Feature
from schemas.input_events import Event
from streamer.interfaces.lane_errors import InDoubt
from streamer.lane.lane import Lane
from tests.support.inputs.laws import examples
from tests.support.strategies.events import histories
from tests.support.strategies.features import RICH, declarations
from tests.support.worlds.failing_ends import Calls, Crash
from tests.support.worlds.lane_world import World, check_promises, drain, settle

shops = st.tuples(histories("7"), histories("21"), histories("España")).map(
    lambda of_users: [event for history in of_users for event in history]
)
some_settings = examples(30)


def a_world(events: list[Event], partitions: int = 1, **options: Any) -> World:
    world = World(partitions, **options)
    world.send(*events)
    return world


@some_settings
@given(shops, st.sampled_from([(), ("Cancelled", "Returned")]), declarations(), st.integers(1, 20))
def test_an_undisturbed_run(
    events: list[Event], exclude: tuple[str, ...], features: tuple[Feature, ...], max_batch: int
) -> None:
    world = a_world(events, 2, exclude=exclude, features=features, max_batch=max_batch)
    world.run_all()
    check_promises(world)


@some_settings
@given(shops, st.data())
def test_a_crash_at_any_call_before_it_or_after_it(events: list[Event], data: st.DataObject) -> None:
    calls = Calls()
    healthy = a_world(events, features=RICH)
    _run(healthy, calls)
    stop_at = data.draw(st.integers(0, len(calls.made) - 1), label="call")
    world = a_world(events, features=RICH)
    crash = Calls(stop_at, data.draw(st.sampled_from(["before", "after"]), label="when"))
    try:
        _run(world, crash)
        raise AssertionError("the crash did not happen")
    except Crash:
        pass
    world.run()
    check_promises(world)


@some_settings
@given(shops, shops, st.data())
def test_a_crash_while_healing_from_an_empty_redis(
    events: list[Event], more: list[Event], data: st.DataObject
) -> None:
    world = a_world(events)
    world.run()
    world.lose_redis()
    world.send(*more)
    for _ in range(data.draw(st.integers(0, 3), label="crashes")):
        stop_at = data.draw(st.integers(0, 25), label="call")
        try:
            _run(world, Calls(stop_at, data.draw(st.sampled_from(["before", "after"]), label="when")))
        except Crash:
            continue
    world.run()
    check_promises(world)


@some_settings
@given(shops, st.data())
def test_a_zombie_that_wakes_up_at_any_call(events: list[Event], data: st.DataObject) -> None:
    """The first owner stops before a call, a second takes over and works, the first goes on."""
    stop_at = data.draw(st.integers(0, 20), label="call")
    world = a_world(events)
    pausing = Calls(stop_at, error=None)

    def second_owner_works() -> None:
        world.run()

    zombie = world.lane(wrap=lambda log, store: _Paused(pausing, second_owner_works).wrap(log, store))
    try:
        zombie.take_over(world.writer())
        drain(zombie)
    except InDoubt:
        world.run()
    check_promises(world)


@some_settings
@given(shops, shops, st.data())
def test_keys_deleted_one_by_one_under_a_living_lane(
    events: list[Event], more: list[Event], data: st.DataObject
) -> None:
    """Nothing is counted twice and no change invented, whatever is deleted between which calls."""
    world = a_world(events, features=RICH)
    world.run()
    redis = world.redis
    # A tombstone leaves no trace elsewhere, so its loss is not seen.
    alive = [user_id for user_id in redis.users if world.state(user_id).facts.alive]
    deletions: list[Callable[[], object]] = [
        *(partial(redis.users.pop, user_id, None) for user_id in alive),
        *(redis.users[user_id].index.clear for user_id in alive),
        *(lists.clear for lists in (redis.swept, redis.due, redis.indexes)),
    ]
    # The place last: whoever is deleted after the lane was filled again is missed at the next event only.
    left = [*data.draw(st.permutations(deletions), label="deleted"), redis.places.clear]
    deleting = _Deletes(left, data.draw(st.lists(st.integers(0, 3)), label="calls in between"))
    world.send(*more)
    lane = world.lane(wrap=deleting.wrap)
    with suppress(InDoubt):  # a deletion comes in the middle of it
        lane.take_over(world.writer())
    settle(world, lane)
    for deletion in left:
        deletion()
    settle(world, lane)
    check_promises(world)


class _Deletes(Calls):
    """Before a call, does the next deletion; ``gaps``: how many calls come before each."""

    def __init__(self, left: list[Callable[[], object]], gaps: list[int]) -> None:
        super().__init__()
        self._left = left
        self._gaps = gaps

    def call(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        if self._left and self._gaps:
            if self._gaps[0] == 0:
                self._gaps.pop(0)
                self._left.pop(0)()
            else:
                self._gaps[0] -= 1
        return super().call(name, function, *args)


class _Paused(Calls):
    """Lets another work just before a chosen call, once."""

    def __init__(self, calls: Calls, meanwhile: Callable[[], None]) -> None:
        super().__init__()
        self._pause_at = calls.stop_at
        self._meanwhile = meanwhile

    def call(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        if len(self.made) == self._pause_at:
            self.made.append("pause")
            self._meanwhile()
        return super().call(name, function, *args)


def _run(world: World, calls: Calls) -> Lane:
    lane = world.lane(wrap=calls.wrap)
    lane.take_over(world.writer())
    drain(lane)
    return lane


@some_settings
@given(shops, shops, st.data())
def test_a_takeover_while_the_former_owner_still_works(
    events: list[Event], more: list[Event], data: st.DataObject
) -> None:
    """The former owner works just before any call of its successor's takeover, and may die at any call."""
    world = a_world(events)
    calls = Calls()
    former = _run(world, calls)
    world.send(*more)
    calls.stop_at = len(calls.made) + data.draw(st.integers(0, 8), label="calls until the former dies")

    def former_owner_works() -> None:
        with suppress(InDoubt, Crash):
            former.step(0.0)

    paused = _Paused(Calls(data.draw(st.integers(0, 12), label="call")), former_owner_works)
    _run_until_whole(world, paused)
    check_promises(world)


@some_settings
@given(shops, shops, st.integers(0, 12))
def test_a_redis_that_loses_its_newest_writes_under_a_living_lane(
    events: list[Event], more: list[Event], kept: int
) -> None:
    world = a_world(events)
    lane = world.take_over()
    for _ in range(kept):
        lane.step(0.0)
    snapshot = deepcopy(world.redis)
    drain(lane)
    world.send(*more)
    world.restore_redis(snapshot)
    while True:
        try:
            drain(lane)
            break
        except InDoubt:
            lane.take_over(world.writer())
    check_promises(world)


def _run_until_whole(world: World, calls: Calls) -> None:
    lane = world.lane(wrap=calls.wrap)
    while True:
        try:
            lane.take_over(world.writer())
            drain(lane)
            return
        except InDoubt:
            continue
