"""A release of another space decides once every lane has filled its index, and no user stays behind."""

from collections.abc import Collection
from copy import deepcopy
from dataclasses import replace as other
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.input_events import Signup, UserErased
from schemas.outputs.segment_change import FeatureValue, SegmentChange
from streamer.in_memory import MemoryStore
from streamer.interfaces.lane_errors import NotReady
from streamer.interfaces.lane_interfaces import Log, Store
from streamer.lane.lane import Lane
from streamer.place import place as places
from streamer.place.place import Place, filling, has_index, using
from streamer.place.place_marks import Refilling, encode_mark
from streamer.segment.neighbours import angle
from tests.support.strategies.events import START
from tests.support.worlds.failing_ends import Calls, Crash
from tests.support.worlds.lane_world import World, check_promises, drain, drain_all
from tests.support.worlds.made_up_release import CENTRES, a_release, an_active_model

HERE = a_release()
ELSEWHERE = a_release(scale=2.0)
# By murmur2 "21" and "España" share partition 0 of 2, "7" is alone in the other.
USERS = ("21", "7", "España")


def a_world(partitions: int = 2, **options: Any) -> World:
    world = World(partitions, **options)
    world.send(*(Signup(user_id, START, age=20 + 30 * i, gender="F") for i, user_id in enumerate(USERS)))
    return world


def activate(world: World, activation: int, release: Any = ELSEWHERE) -> None:
    world.models.model = an_active_model(activation, release)


def a_place(world: World, partition: int = 0) -> Place:
    return places.decode(world.redis.places[partition])


def indexed(world: World, release: Any) -> set[str]:
    index = world.redis.indexes.get(release.space)
    return set() if index is None else set(index._angles)


def test_no_lane_uses_another_space_before_every_lane_has_filled_its_index() -> None:
    world = a_world()
    first, second = lanes = [world.take_over(0), world.take_over(1)]
    drain_all(lanes)
    told = len(world.changes())
    activate(world, 4)
    drain(first)
    assert indexed(world, ELSEWHERE) == {"21", "España"}
    assert has_index(a_place(world), ELSEWHERE.space)
    assert a_place(world).sweep.activation == 0
    assert len(world.changes()) == told
    world.send(Signup("21", START.replace(hour=1), age=100))
    drain(first)
    last = world.changes("21")[-1]
    assert isinstance(last, SegmentChange)
    assert last.activation == 0
    drain(second)
    drain(first)
    assert {a_place(world, lane).sweep.activation for lane in (0, 1)} == {4}
    assert indexed(world, HERE) == set()
    assert indexed(world, ELSEWHERE) == set(USERS)
    check_promises(world)


def test_similar_users_come_from_the_space_that_decides() -> None:
    world = a_world()
    lanes = [world.take_over(0), world.take_over(1)]
    drain_all(lanes)
    activate(world, 4)
    drain_all(lanes)
    world.send(Signup("21", START.replace(hour=1), age=100))
    drain_all(lanes)
    last = world.changes("21")[-1]
    assert isinstance(last, SegmentChange)
    assert last.activation == 4
    assert {user.user_id for user in last.similar_users} == {"7", "España"}


def test_while_an_index_is_filled_events_go_into_both() -> None:
    world = a_world()
    first, second = world.take_over(0), world.take_over(1)
    drain_all([first, second])
    activate(world, 4)
    drain(first)
    world.send(Signup("21", START.replace(hour=1), age=100))
    drain(first)
    features: dict[str, FeatureValue] = {"age": 100, "gender": "F"}
    for release in (HERE, ELSEWHERE):
        expected = angle(an_active_model(0, release).scorer.score(features).components)
        assert world.redis.indexes[release.space]._angles["21"] == expected
    world.send(UserErased("21", START.replace(hour=2)))
    drain(first)
    assert indexed(world, HERE) == {"7", "España"}
    assert indexed(world, ELSEWHERE) == {"España"}


def test_a_takeover_goes_on_with_the_release_in_use() -> None:
    """Also in a worker that knows the release from the topic alone."""
    world = a_world()
    drain_all([world.take_over(0), world.take_over(1)])
    activate(world, 4)
    lane = world.take_over(0)
    world.send(Signup("21", START.replace(hour=1), age=100))
    lane.step(0.0)
    last = world.changes("21")[-1]
    assert isinstance(last, SegmentChange)
    assert (last.activation, last.model_version) == (0, HERE.version)
    world.run_all()
    check_promises(world)


def test_a_rollback_before_the_switch_leaves_nothing_of_it() -> None:
    world = a_world()
    lanes = [world.take_over(0), world.take_over(1)]
    drain_all(lanes)
    told = len(world.changes())
    activate(world, 4)
    drain(lanes[0])
    activate(world, 6, HERE)
    drain_all(lanes)
    assert indexed(world, ELSEWHERE) == set()
    assert indexed(world, HERE) == set(USERS)
    assert len(world.changes()) == told
    check_promises(world)


def test_a_rollback_when_one_lane_has_switched_fills_the_old_index_again() -> None:
    world = a_world()
    lanes = [world.take_over(0), world.take_over(1)]
    drain_all(lanes)
    activate(world, 4)
    drain(lanes[0])
    drain(lanes[1])
    assert [a_place(world, lane).sweep.activation for lane in (0, 1)] == [0, 4]
    assert "7" not in indexed(world, HERE)
    activate(world, 6, HERE)
    drain(lanes[0])
    assert a_place(world).sweep.activation == 0
    drain_all(lanes)
    assert indexed(world, HERE) == set(USERS)
    assert indexed(world, ELSEWHERE) == set()
    check_promises(world)


def test_a_lane_that_has_not_read_the_rollback_leaves_no_index_that_another_lane_decides_by() -> None:
    world, behind = a_world(), World(2)
    behind.kafka, behind.redis, behind.models = world.kafka, world.redis, deepcopy(world.models)

    def roll_back(first: Lane) -> None:
        activate(world, 6, HERE)
        drain(first)

    class Slow(MemoryStore):
        """It reads the other lane's place; then the other lane reads of the rollback."""

        def places(self, partitions: Collection[int]) -> list[bytes]:
            found = super().places(partitions)
            if 1 in world.redis.places and a_place(world, 1).swept and world.models.known_activation() < 6:
                roll_back(first)
            return found

    def slow(log: Log, _: Store) -> tuple[Log, Store]:
        return log, Slow(world.redis, 1)

    first, second = world.take_over(0), behind.lane(1, slow)
    second.take_over("w")
    drain_all([first, second])
    activate(world, 4)
    drain(first)
    activate(behind, 4)
    second.step(0.0)
    assert has_index(a_place(world, 0), ELSEWHERE.space)
    assert has_index(a_place(world, 1), ELSEWHERE.space)
    drain(second)
    assert a_place(world, 1).sweep.activation == 4
    drain(first)
    assert a_place(world, 0).sweep.activation == 0
    activate(behind, 6, HERE)
    drain_all([first, second])
    assert {a_place(world, lane).sweep.activation for lane in (0, 1)} == {6}
    assert indexed(world, HERE) == set(USERS)
    assert indexed(world, ELSEWHERE) == set()
    check_promises(world)


class _Dying:
    """A log that dies after its commit, if a test asks for it."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.dies = False

    def commit(self, *args: Any) -> dict[str, int]:
        written = self._log.commit(*args)
        if self.dies:
            raise Crash
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)


def a_dying_lane(world: World) -> tuple[Lane, _Dying]:
    logs: list[_Dying] = []

    def wrap(log: Log, store: Store) -> Any:
        logs.append(_Dying(log))
        return logs[0], store

    lane = world.lane(wrap=wrap)
    lane.take_over("w")
    drain(lane)
    return lane, logs[0]


def test_a_crash_after_the_first_decision_of_another_space_does_not_go_back() -> None:
    world = a_world(1)
    lane, log = a_dying_lane(world)
    activate(world, 4)
    until_filled(world, lane)
    world.send(Signup("21", START.replace(hour=1), age=100))
    log.dies = True
    with pytest.raises(Crash):
        drain(lane)
    assert a_place(world).sweep.activation == 0
    last = world.changes("21")[-1]
    assert isinstance(last, SegmentChange)
    assert last.activation == 4
    activate(world, 6, a_release(scale=0.5))
    successor = world.take_over()
    assert a_place(world).sweep.activation == 4
    drain(successor)
    check_promises(world)


def test_a_decision_of_another_space_shows_also_if_its_user_was_erased_in_the_same_batch() -> None:
    world = a_world(1)
    lane, log = a_dying_lane(world)
    activate(world, 4)
    until_filled(world, lane)
    world.send(Signup("21", START.replace(hour=1), age=100), UserErased("21", START.replace(hour=2)))
    log.dies = True
    with pytest.raises(Crash):
        drain(lane)
    assert [getattr(change, "activation", None) for change in world.changes("21")[-2:]] == [4, None]
    activate(world, 6, a_release(scale=0.5))
    successor = world.take_over()
    assert a_place(world).sweep.activation == 4
    drain(successor)
    check_promises(world)


def test_a_decision_of_an_activation_that_was_not_read_is_adopted_once_it_was() -> None:
    world = a_world(1)
    lane, log = a_dying_lane(world)
    swapped = a_release(centres=(CENTRES[2], CENTRES[1], CENTRES[0], CENTRES[3]))
    activate(world, 4, swapped)
    log.dies = True
    with pytest.raises(Crash):
        drain(lane)
    assert a_place(world).sweep.activation == 0
    activate(world, 0, HERE)
    for _ in range(2):
        with pytest.raises(NotReady, match="activation 4"):
            world.take_over()
    activate(world, 4, swapped)
    world.run()
    check_promises(world)


def until_filled(world: World, lane: Lane) -> None:
    while not (a_place(world).sweep.filling and a_place(world).swept):
        lane.step(0.0)


def test_who_has_no_direction_any_more_leaves_the_index_that_was_filled() -> None:
    """At the age of 40, the training mean, and with nothing else known, a user lies at the origin."""
    world = World()
    world.send(Signup("21", START, age=60))
    lane = world.run()
    activate(world, 4)
    until_filled(world, lane)
    assert indexed(world, ELSEWHERE) == {"21"}
    world.send(Signup("21", START.replace(hour=1), age=40))
    drain(lane)
    assert indexed(world, ELSEWHERE) == set()
    check_promises(world)


def test_an_index_that_redis_lost_is_whole_only_after_the_sweep() -> None:
    world = a_world(1)
    lane = world.run()
    kept = deepcopy(world.redis)
    activate(world, 4)
    until_filled(world, lane)
    world.send(Signup("21", START.replace(hour=1), age=100))
    drain(lane)
    world.redis.users, world.redis.places = kept.users, kept.places
    world.redis.indexes, world.redis.swept = kept.indexes, kept.swept
    successor = world.take_over()
    assert a_place(world).sweep.activation == 4
    assert not has_index(a_place(world), ELSEWHERE.space)
    drain(successor)
    assert has_index(a_place(world), ELSEWHERE.space)
    assert indexed(world, ELSEWHERE) == set(USERS)
    check_promises(world)


def test_a_release_that_is_not_known_any_more_gives_way_at_once() -> None:
    world = a_world(1)
    world.run()
    world.models._published.clear()
    activate(world, 4)
    lane = world.take_over()
    assert a_place(world).sweep.activation == 4
    assert not has_index(a_place(world), ELSEWHERE.space)
    drain(lane)
    assert has_index(a_place(world), ELSEWHERE.space)
    assert indexed(world, HERE) == set()
    check_promises(world)


def test_a_lane_that_waits_for_others_asks_redis_for_their_places_alone() -> None:
    world = a_world()
    drain_all([world.take_over(0), world.take_over(1)])
    activate(world, 4)
    calls = Calls()
    lane = world.lane(wrap=calls.wrap)
    lane.take_over("w")
    drain(lane)
    calls.made.clear()
    lane.step(0.0)
    assert set(calls.made) == {"log.poll", "log.lag", "store.follow", "store.places"}


def test_a_lane_under_bootstrap_has_no_index_yet() -> None:
    world = a_world()
    drain_all([world.take_over(0), world.take_over(1)])
    world.redis.places[1] = encode_mark(Refilling("bootstrap", "w", 1))
    activate(world, 4)
    lane = world.take_over(0)
    drain(lane)
    assert a_place(world).sweep.activation == 0


def test_a_lane_that_nobody_has_taken_yet_has_no_index_yet() -> None:
    """Whoever takes it may not have read of the newest release, and would decide by the one before."""
    world = a_world()
    first = world.take_over(0)
    drain(first)
    former = world.models.model
    activate(world, 4)
    drain(first)
    assert a_place(world).sweep.activation == 0
    behind = World(2)
    behind.kafka, behind.redis, behind.models.model = world.kafka, world.redis, former
    second = behind.take_over(1)
    drain(first)
    assert a_place(world).sweep.activation == 0
    behind.models.model = world.models.model
    drain_all([first, second])
    assert {a_place(world, lane).sweep.activation for lane in (0, 1)} == {4}
    assert indexed(world, ELSEWHERE) == set(USERS)
    check_promises(world)


IN_USE = using(None, an_active_model(0, HERE))
A_PLACE = Place(1, "w", {}, {}, World().config.settings, IN_USE, swept=True)


def test_the_index_in_use_is_whole_and_one_that_is_filled_once_the_sweep_has_ended() -> None:
    filled = filling(IN_USE, an_active_model(4, ELSEWHERE))
    assert has_index(A_PLACE, HERE.space)
    assert not has_index(A_PLACE, ELSEWHERE.space)
    during = replace(A_PLACE, sweep=filled, swept=False)
    assert has_index(during, HERE.space)
    assert not has_index(during, ELSEWHERE.space)
    assert has_index(replace(during, swept=True), ELSEWHERE.space)


def test_filling_twice_is_one_sweep_and_using_leaves_every_other_space() -> None:
    target = an_active_model(4, ELSEWHERE)
    filled = filling(IN_USE, target)
    assert filled.number == 2
    assert filling(filled, other(target, activation=5)) == filled
    assert filling(IN_USE, an_active_model(9, HERE)) == IN_USE
    back = using(filled, an_active_model(6, HERE))
    assert (back.number, back.dropped, back.filling) == (3, (ELSEWHERE.space,), {})
    again = filling(back, target)
    assert (again.number, again.dropped) == (4, ())
