"""A new day: who is due is decided again, once, whatever dies, and the lane's day never goes back.

By ``a_recency_release`` a user is in segment 0 up to 5 days after the last order, in 1 up to 20, then in 2.
"""

from copy import deepcopy
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.features import FEATURES
from schemas.input_events import Item, Order, UserErased
from schemas.outputs.segment_change import Cause, SegmentChange
from streamer.in_memory import MemoryRedis
from streamer.lane.lane import Lane
from streamer.place import place as places
from tests.support.worlds.failing_ends import Calls, Crash
from tests.support.worlds.lane_world import NOW, World, check_promises, drain
from tests.support.worlds.made_up_release import RECENCY, a_recency_release, an_active_model

FIRST = date(2024, 6, 1)
MOVES = date(2024, 6, 7)


def an_order(user_id: str = "7", order_id: str = "1", at: datetime = NOW) -> Order:
    return Order(user_id, order_id, at, (Item("Ön"),))


def a_world(*orders: Order, **options: Any) -> World:
    """A world with these orders, or one of user 7, decided on the first day."""
    world = World(features=(*FEATURES, RECENCY), **options)
    world.models.model = an_active_model(release=a_recency_release())
    world.send(*(orders or [an_order()]))
    world.run_all()
    return world


def on_day(world: World, day: date) -> None:
    """Set the clock to the evening of a day."""
    world.now = datetime(day.year, day.month, day.day, 20, tzinfo=UTC)


def last(world: World, user_id: str = "7") -> SegmentChange:
    change = world.changes(user_id)[-1]
    assert isinstance(change, SegmentChange)
    return change


def day_in(world: World) -> date | None:
    return places.decode(world.redis.places[0]).decides_on


def days_in_offsets(world: World) -> set[date | None]:
    return {committed.day for committed in world.kafka.offsets.values()}


def test_a_user_moves_on_the_day_on_which_the_model_says_so_and_the_change_names_it() -> None:
    world = a_world()
    lane = world.take_over()
    on_day(world, MOVES - timedelta(days=1))
    drain(lane)
    assert (len(world.changes()), last(world).segment, last(world).cause.day) == (1, 0, FIRST)
    on_day(world, MOVES)
    drain(lane)
    assert len(world.changes()) == 2
    assert (last(world).kind, last(world).previous_segment, last(world).segment) == ("moved", 0, 1)
    assert last(world).cause == Cause(type="time", positions={"signups": 0, "orders": 1}, day=MOVES)
    assert last(world).occurred_at == datetime(2024, 6, 7, tzinfo=UTC)
    assert last(world).features["recency"] == 6
    check_promises(world)


def test_after_days_without_a_worker_the_lane_decides_once() -> None:
    world = a_world()
    on_day(world, date(2024, 7, 1))
    world.run()
    assert [change.cause.day for change in world.changes()] == [FIRST, date(2024, 7, 1)]
    assert (last(world).previous_segment, last(world).segment) == (0, 2)
    check_promises(world)


def test_an_event_is_decided_on_the_present_day() -> None:
    world = a_world()
    on_day(world, MOVES)
    world.send(an_order("9"))
    lane = world.take_over()
    lane.step(0.0)
    assert (last(world, "9").cause.type, last(world, "9").cause.day) == ("order", MOVES)
    assert last(world, "9").segment == 1
    drain(lane)
    check_promises(world)


def test_only_those_who_are_due_are_decided() -> None:
    world = a_world(an_order("7"), an_order("9"))
    world.redis.due[0] = {"7": MOVES, "9": MOVES + timedelta(days=1)}
    on_day(world, MOVES)
    world.run()
    assert [(due, left) for _, due, left in world.watcher.dues if due] == [(1, 0)]
    assert (last(world, "7").segment, last(world, "9").segment) == (1, 0)
    on_day(world, MOVES + timedelta(days=1))
    world.run()
    assert last(world, "9").cause.day == MOVES + timedelta(days=1)
    check_promises(world)


def test_who_does_not_move_gets_the_next_due_day_in_redis_alone() -> None:
    world = a_world()
    offsets = deepcopy(world.kafka.offsets)
    on_day(world, FIRST + timedelta(days=2))
    world.redis.due[0] = {"7": FIRST + timedelta(days=2)}
    world.run()
    assert world.redis.due[0]["7"] > FIRST + timedelta(days=2)
    assert len(world.changes()) == 1
    assert world.kafka.offsets == offsets


def test_an_idle_lane_takes_the_day_of_the_clock() -> None:
    world = World(features=(*FEATURES, RECENCY))
    world.models.model = an_active_model(release=a_recency_release())
    lane = world.run()
    assert day_in(world) == FIRST
    on_day(world, MOVES)
    drain(lane)
    assert day_in(world) == MOVES


def test_the_day_begins_in_the_zone_of_the_settings() -> None:
    world = a_world(time_zone="Pacific/Apia")  # 13 hours before UTC
    world.now = datetime(2024, 6, 7, 10, 59, tzinfo=UTC)
    lane = world.run()
    assert (day_in(world), len(world.changes())) == (date(2024, 6, 7), 2)
    assert last(world).occurred_at == datetime(2024, 6, 6, 11, tzinfo=UTC)
    world.now = datetime(2024, 6, 7, 11, tzinfo=UTC)
    drain(lane)
    assert day_in(world) == date(2024, 6, 8)


def test_a_clock_that_is_behind_does_not_take_the_day_back() -> None:
    world = a_world()
    on_day(world, MOVES)
    world.run()
    on_day(world, FIRST)
    world.send(an_order("9"))
    world.run()
    assert last(world, "9").cause.day == MOVES
    assert len(world.changes("7")) == 2
    check_promises(world)


def test_the_offsets_keep_the_day_of_a_redis_that_was_emptied() -> None:
    world = a_world()
    on_day(world, MOVES)
    world.run()
    assert days_in_offsets(world) == {MOVES}
    told = len(world.changes())
    world.lose_redis()
    on_day(world, FIRST)
    world.run()
    assert day_in(world) == MOVES
    assert len(world.changes()) == told
    assert world.redis.due[0]["7"] > MOVES
    check_promises(world)


def test_the_offsets_keep_a_day_on_which_nobody_moved() -> None:
    world = a_world()
    on_day(world, FIRST + timedelta(days=2))
    world.send(an_order())
    world.run()
    assert len(world.changes()) == 1
    world.lose_redis()
    on_day(world, FIRST)
    world.run()
    assert day_in(world) == FIRST + timedelta(days=2)


def test_a_decision_that_is_adopted_shows_the_day_too() -> None:
    """The group's offsets have expired, and Redis has lost the newest save."""
    world = a_world()
    before = deepcopy({part.name: getattr(world.redis, part.name) for part in fields(MemoryRedis)})
    on_day(world, MOVES)
    world.run()
    world.restore_redis(MemoryRedis(**before))
    world.kafka.offsets.clear()
    on_day(world, FIRST)
    world.run()
    assert day_in(world) == MOVES
    assert len(world.changes()) == 2
    check_promises(world)


def test_a_lane_that_healed_decides_by_time_whom_the_crash_left_on_an_earlier_day() -> None:
    """Redis is emptied before those who are due were decided: the sweep has nothing to do."""
    world = a_world(an_order("7"), an_order("9"))
    on_day(world, MOVES)
    world.config = replace(world.config, max_batch=1)
    lane = world.take_over()
    lane.step(0.0)
    assert len(world.changes()) == 3
    world.lose_redis()
    world.run()
    assert [(c.user_id, c.cause.type) for c in world.changes()[2:]] == [("7", "time"), ("9", "time")]
    assert all(users == 0 for users, _ in world.watcher.sweeps[-1:])
    check_promises(world)


def calls_of_a_new_day(world: World) -> list[str]:
    calls = Calls()
    lane = world.lane(wrap=calls.wrap)
    lane.take_over("w")
    calls.made.clear()
    on_day(world, MOVES)
    lane.step(0.0)
    return calls.made


def test_a_batch_of_those_who_are_due_takes_a_constant_number_of_calls() -> None:
    for users in (1, 7):
        world = a_world(*(an_order(f"{n}") for n in range(users)), max_batch=10)
        made = calls_of_a_new_day(world)
        assert len(world.changes()) == 2 * users
        assert [name for name in made if name not in {"log.poll", "log.lag"}] == [
            "store.follow",
            "store.due",
            "store.load",
            "store.neighbours",
            "log.note_day",
            "log.commit",
            "store.save",
        ]


def test_a_crash_at_any_step_of_a_new_day_loses_and_repeats_nothing() -> None:
    steps = len(calls_of_a_new_day(a_world(an_order("7"), an_order("9"))))
    for stop_at in range(steps):
        for when in ("before", "after"):
            world = a_world(an_order("7"), an_order("9"))
            calls = Calls(when=when)
            lane = world.lane(wrap=calls.wrap)
            lane.take_over("w")
            calls.stop_at = len(calls.made) + stop_at
            on_day(world, MOVES)
            with pytest.raises(Crash):
                lane.step(0.0)
            world.run()
            assert [(c.user_id, c.cause.day) for c in world.changes()[2:]] == [("7", MOVES), ("9", MOVES)]
            check_promises(world)


def test_who_is_erased_is_not_due() -> None:
    world = a_world(an_order("7"), an_order("9"))
    assert world.redis.due[0].keys() == {"7", "9"}
    world.send(UserErased("7", NOW + timedelta(hours=1)))
    world.run()
    assert world.redis.due[0].keys() == {"9"}


def test_a_release_that_comes_with_the_day_decides_it() -> None:
    """User 7 is due on the day of the new release, by which it stays: one look, and no change."""
    world = a_world()
    world.models.model = an_active_model(4, a_recency_release((0.0, 20.0, 60.0)))
    on_day(world, MOVES)
    world.run()
    assert len(world.changes()) == 1
    assert world.redis.users["7"].fields["activation"] == b"4"
    check_promises(world)


def test_a_margin_keeps_a_user_for_some_days() -> None:
    """After d days the centres are d and 10 - d away. It stays while d - (10 - d) < d / 2: up to 6.6 days."""
    world = a_world()
    world.config = replace(world.config, rules=replace(world.config.rules, min_margin=0.5))
    on_day(world, date(2024, 6, 7))
    world.run()
    assert len(world.changes()) == 1
    on_day(world, date(2024, 6, 8))
    world.run()
    assert (last(world).segment, last(world).cause.day) == (1, date(2024, 6, 8))


def test_two_lanes_may_be_on_two_days() -> None:
    world = a_world(an_order("7"), an_order("21"), partitions=2)
    on_day(world, MOVES)
    one: Lane = world.take_over(0)
    drain(one)
    days = [places.decode(world.redis.places[lane]).decides_on for lane in (0, 1)]
    assert days == [MOVES, FIRST]
    world.run_all()
    assert {last(world, "7").segment, last(world, "21").segment} == {1}
    check_promises(world)


def test_without_a_feature_of_time_there_is_no_day() -> None:
    world = World()
    world.send(an_order())
    on_day(world, MOVES)
    world.run()
    assert (day_in(world), days_in_offsets(world), world.redis.due) == (None, {None}, {})
    assert b'"day"' not in world.redis.places[0] + b"".join(
        r.value or b"" for r in world.records("segment-changes")
    )
