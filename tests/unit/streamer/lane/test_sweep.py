"""A sweep: after a new activation the lane's users are decided anew, whether or not they have events."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from schemas.input_events import Signup, UserErased
from schemas.outputs.segment_change import Cause, SegmentChange
from streamer.interfaces.lane_errors import InDoubt, NotReady
from streamer.lane.lane import Lane
from tests.support.strategies.events import START
from tests.support.worlds.failing_ends import Calls, Crash
from tests.support.worlds.lane_world import TOPICS, World, check_promises, drain
from tests.support.worlds.made_up_release import ACTIVATED_AT, CENTRES, a_release, an_active_model

# By the centres of tests/support/worlds/made_up_release.py "7" is in segment 2 and "21" in segment 3.
# SWAPPED exchanges segments 0
# and 2, so "7" moves to 0 and "21" stays.
YOUNG = Signup("7", START, age=20, gender="F")
OLD = Signup("21", START, age=100)
SWAPPED = a_release(centres=(CENTRES[2], CENTRES[1], CENTRES[0], CENTRES[3]))


def a_world(**options: Any) -> World:
    """A world whose users are decided by activation 0."""
    world = World(**options)
    world.send(YOUNG, OLD)
    return world


def activate(world: World, activation: int, release: Any = SWAPPED) -> None:
    world.models.model = an_active_model(activation, release)


def activations(world: World) -> dict[str, int]:
    return {user_id: int(user.fields["activation"]) for user_id, user in world.redis.users.items()}


def test_those_who_move_get_a_change_and_the_others_their_model_in_redis_alone() -> None:
    world = a_world()
    lane = world.run()
    before = len(world.changes())
    activate(world, 4)
    drain(lane)
    (change,) = world.changes()[before:]
    assert isinstance(change, SegmentChange)
    assert (change.user_id, change.kind, change.sequence) == ("7", "moved", 2)
    assert (change.previous_segment, change.segment) == (2, 0)
    assert (change.model_version, change.activation) == (SWAPPED.version, 4)
    assert change.cause == Cause(
        type="model",
        topic="segment-models",
        partition=0,
        offset=4,
        positions={"signups": 2, "orders": 0},
    )
    assert change.occurred_at == ACTIVATED_AT
    assert change.features["age"] == 20
    assert activations(world) == {"7": 4, "21": 4}
    assert world.redis.users["21"].fields["model_version"] == SWAPPED.version.encode()
    assert len(world.records(TOPICS.users)) == before + 1
    check_promises(world)


def test_the_offsets_stay_and_the_place_goes_on() -> None:
    world = a_world()
    lane = world.run()
    positions, offsets = lane.positions, dict(world.kafka.offsets)
    activate(world, 4)
    drain(lane)
    assert lane.positions == positions
    assert world.kafka.offsets == offsets
    world.send(msgspec.structs.replace(YOUNG, age=100, created_at=START.replace(hour=5)))
    drain(lane)
    check_promises(world)


def test_a_sweep_is_told_and_ends() -> None:
    world = a_world(max_batch=1)
    calls = Calls()
    lane = world.lane(wrap=calls.wrap)
    lane.take_over("w")
    drain(lane)
    activate(world, 4)
    drain(lane)
    assert world.watcher.sweeps == [(1, 1), (1, 0)]
    calls.made.clear()
    drain(lane)
    assert [name for name in calls.made if name not in {"log.poll", "log.lag", "store.follow"}] == []


def test_a_sweep_goes_on_where_a_crash_left_it() -> None:
    world = a_world(max_batch=1)
    world.run()
    activate(world, 4)
    calls = Calls()
    lane = world.lane(wrap=calls.wrap)
    lane.take_over("w")
    lane.step(0.0)
    assert sorted(activations(world).values()) == [0, 4]
    calls.stop_at = len(calls.made) + 5
    with pytest.raises(Crash):
        drain(lane)
    assert sorted(activations(world).values()) == [0, 4]
    world.watcher.sweeps.clear()
    world.run()
    assert world.watcher.sweeps == [(1, 0)]
    check_promises(world)


def test_a_crash_between_commit_and_save_of_a_sweep_tells_nothing_twice() -> None:
    world = a_world(max_batch=10)
    world.run()
    activate(world, 4)
    calls = Calls()
    lane = world.lane(wrap=calls.wrap)
    lane.take_over("w")
    calls.stop_at = len(calls.made) + calls_of_a_sweep().index("store.save")
    with pytest.raises(Crash):
        lane.step(0.0)
    assert calls.made[-2:] == ["log.commit", "store.save"]
    told = len(world.changes())
    world.run()
    assert len(world.changes()) == told
    check_promises(world)


def calls_of_a_sweep() -> list[str]:
    world = a_world(max_batch=10)
    world.run()
    activate(world, 4)
    calls = Calls()
    lane = world.lane(wrap=calls.wrap)
    lane.take_over("w")
    calls.made.clear()
    lane.step(0.0)
    return calls.made


def test_a_batch_of_a_sweep_takes_a_constant_number_of_calls() -> None:
    assert [name for name in calls_of_a_sweep() if name not in {"log.poll", "log.lag"}] == [
        "store.follow",
        "store.unswept",
        "store.load",
        "store.neighbours",
        "log.commit",
        "store.save",
    ]


def test_a_later_activation_replaces_the_sweep_at_the_next_batch() -> None:
    """A rollback in the middle: whoever moved moves back, and whoever did not never moves."""
    world = a_world(max_batch=1)
    world.send(msgspec.structs.replace(YOUNG, user_id="9"))
    lane = world.run()
    activate(world, 4)
    lane.step(0.0)
    lane.step(0.0)
    swept = [user_id for user_id, activation in activations(world).items() if activation == 4]
    assert len(swept) == 2
    activate(world, 6, a_release())
    drain(lane)
    assert set(activations(world).values()) == {6}
    assert 4 in {change.activation for change in world.changes() if isinstance(change, SegmentChange)}
    moved = {c.user_id for c in world.changes() if isinstance(c, SegmentChange) and c.activation == 6}
    assert moved == set(swept) - {"21"}
    check_promises(world)


def test_events_are_taken_between_the_batches_of_a_sweep() -> None:
    world = a_world(max_batch=1)
    lane = world.run()
    activate(world, 4)
    world.send(msgspec.structs.replace(OLD, user_id="9"))
    assert lane.step(0.0) == 2
    assert "9" in world.redis.users
    assert sorted(activations(world).values()) == [0, 4, 4]
    drain(lane)
    check_promises(world)


def test_a_sweep_keeps_its_pace() -> None:
    world = a_world()
    world.config = msgspec.structs.replace(world.config, sweep_per_s=1.0)
    now = [0.0]
    lane = a_lane_with_a_clock(world, lambda: now[0])
    drain(lane)
    activate(world, 4)
    now[0] = 10.0
    assert lane.step(0.0) == 1
    assert lane.step(0.0) == 0
    now[0] = 10.9
    assert lane.step(0.0) == 0
    now[0] = 11.1
    assert lane.step(0.0) == 1
    assert set(activations(world).values()) == {4}


def a_lane_with_a_clock(world: World, monotonic: Callable[[], float]) -> Lane:
    lane = world.lane(monotonic=monotonic)
    lane.take_over("w")
    return lane


def test_who_is_erased_is_not_swept() -> None:
    world = a_world()
    world.send(UserErased("7", START.replace(hour=9)))
    lane = world.run()
    assert world.redis.swept == {0: {"21": 1}}
    activate(world, 4)
    drain(lane)
    assert world.redis.swept == {0: {"21": 2}}
    check_promises(world)


def test_a_topic_of_releases_made_anew_is_newer_than_all() -> None:
    world = a_world()
    lane = world.run()
    world.models.model = replace(an_active_model(0, SWAPPED), topic_id="made anew")
    drain(lane)
    last = world.changes("7")[-1]
    assert isinstance(last, SegmentChange)
    assert (last.segment, last.cause.type) == (0, "model")
    check_promises(world)


def test_a_lane_that_another_brought_to_a_later_activation_waits_for_it() -> None:
    world = a_world()
    world.run()
    activate(world, 4)
    world.run()
    activate(world, 0, a_release())
    with pytest.raises(NotReady, match="activation 4"):
        world.take_over()


def test_an_empty_lane_takes_part_too() -> None:
    """Its place tells the activation, and it asks Redis no more."""
    world = World()
    lane = world.run()
    activate(world, 4)
    drain(lane)
    activate(world, 0, a_release())
    with pytest.raises(NotReady):
        world.take_over()


def test_a_sweep_in_a_lane_that_another_took_writes_nothing() -> None:
    world = a_world()
    lane = world.run()
    world.take_over()
    activate(world, 4)
    with pytest.raises(InDoubt):
        lane.step(0.0)
    assert set(activations(world).values()) == {0}


def test_an_emptied_redis_is_swept_again_only_where_the_record_is_older() -> None:
    world = a_world()
    world.run()
    activate(world, 4)
    world.run()
    world.lose_redis()
    world.watcher.sweeps.clear()
    told = len(world.changes())
    world.run()
    # The record of "7" is of activation 4; that of "21", who did not move, is of activation 0.
    assert world.watcher.sweeps == [(1, 0)]
    assert len(world.changes()) == told
    check_promises(world)
