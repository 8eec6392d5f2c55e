"""A lane whose place, log or topics have just changed; the laws are in tests/property/test_lane.py."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any, cast

import pytest

from schemas.errors import NeedsRebuild
from schemas.input_events import Item, Order, Signup, UserErased
from streamer.in_memory import MemoryRedis
from streamer.interfaces.lane_errors import InDoubt
from streamer.interfaces.lane_interfaces import Log
from streamer.segment.active_model import BootstrapRecord
from streamer.user.stored.stored_state import pack_order
from tests.support.checks.moves import OLD, YOUNG, YOUNG_AGAIN, segments
from tests.support.strategies.events import START
from tests.support.worlds.failing_ends import Calls, Crash
from tests.support.worlds.lane_world import World, check_promises, drain


@pytest.mark.parametrize("events", [[YOUNG], [YOUNG, OLD, YOUNG_AGAIN]])
def test_a_crash_between_commit_and_save_tells_nothing_twice(events: list[Signup]) -> None:
    world = World(max_batch=10)
    world.send(*events)
    calls = Calls()
    lane = world.lane(wrap=calls.wrap)
    lane.take_over("w")
    calls.stop_at = len(calls.made) + 4  # poll, load, neighbours, commit, and then save
    with pytest.raises(Crash):
        lane.step(0.0)
    assert calls.made[-1] == "store.save"
    assert len(world.changes("7")) == len(events)
    assert world.redis.users == {}
    world.run()
    assert len(world.changes("7")) == len(events)
    check_promises(world)


def test_what_is_committed_before_the_fence_is_not_decided_again() -> None:
    """The former owner commits three moves and dies unsaved, between the fence and the offsets' reading."""
    world = World(max_batch=10)
    former_calls = Calls()
    former = world.lane(wrap=former_calls.wrap)
    former.take_over("former")
    world.send(YOUNG, OLD, YOUNG_AGAIN)
    former_calls.stop_at = len(former_calls.made) + 4

    successor = world.lane(wrap=lambda log, store: (cast(Log, _BeforeFence(log, former.step)), store))
    successor.take_over("successor")
    drain(successor)
    assert segments(world) == [(None, 2), (2, 3), (3, 2)]
    check_promises(world)


class _BeforeFence:
    """The former owner's last step comes just before the fence; it dies in it."""

    def __init__(self, log: Log, last_step: Callable[[float], int]) -> None:
        self._log = log
        self._last_step = last_step

    def fence(self) -> None:
        with pytest.raises(Crash):
            self._last_step(0.0)
        self._log.fence()

    def __getattr__(self, name: str) -> object:
        return getattr(self._log, name)


def just_before(end: Any, name: str, happens: Callable[[], object]) -> Any:
    """The same log or store; before this call of it something happens, once."""
    return _Before(end, name, happens)


class _Before:
    def __init__(self, end: object, name: str, happens: Callable[[], object]) -> None:
        self._end = end
        self._name = name
        self._happens: Callable[[], object] | None = happens

    def __getattr__(self, name: str) -> object:
        if name == self._name and self._happens is not None:
            happens, self._happens = self._happens, None
            happens()
        return getattr(self._end, name)


def test_nothing_is_decided_from_a_state_and_orders_of_two_moments() -> None:
    """Redis loses its newest save after the state was read, and before all of the user's orders are."""
    world = World(max_batch=1)
    first, second = (Order("7", str(i), START.replace(hour=i), (Item(brand="Ön"),)) for i in (1, 3))
    before: list[MemoryRedis] = []

    def forget() -> None:
        world.redis.users = before[0].users
        world.redis.places = before[0].places

    lane = world.lane(wrap=lambda log, store: (log, just_before(store, "load_orders", forget)))
    lane.take_over("w")
    world.send(first)
    lane.step(0.0)
    before.append(deepcopy(world.redis))
    world.send(second)
    lane.step(0.0)
    told = len(world.changes())
    world.send(UserErased("7", START.replace(hour=2)))
    with pytest.raises(InDoubt, match="while a batch was read"):
        lane.step(0.0)
    assert len(world.changes()) == told
    lane.take_over("w2")
    drain(lane)
    check_promises(world)


def test_a_takeover_heals_nothing_from_a_save_that_is_lost_again() -> None:
    """It finds no place. A save on its way lands, is read, and is lost with Redis's newest writes."""
    world = World(max_batch=10)
    orders = [Order("7", str(i), START.replace(hour=i), (Item(brand="Ön"),)) for i in (1, 2, 3)]
    world.send(*orders)
    world.run()

    def lose_all() -> None:
        world.lose_redis()

    def ends(log: Any, store: Any) -> tuple[Any, Any]:
        return log, just_before(just_before(store, "save", lose_all), "load", world.run)

    lose_all()
    lane = world.lane(wrap=ends)
    with pytest.raises(InDoubt, match="not the one that this takeover wrote last"):
        lane.take_over("w")
    lose_all()
    world.run()
    check_promises(world)
    assert world.redis.users["7"].orders == {order.order_id: pack_order(order) for order in orders}


def test_decisions_are_not_adopted_without_the_offsets_up_to_which_they_were_made() -> None:
    """A takeover pauses after it read the offsets; another decides on, and then the offsets expire."""
    world = World(max_batch=10)
    world.send(YOUNG)
    world.run()
    kept = deepcopy(world.redis)

    def another_decides_and_is_forgotten() -> None:
        world.send(OLD, YOUNG_AGAIN)
        world.run()
        world.redis.places, world.redis.users = kept.places, kept.users
        world.kafka.offsets.clear()

    lane = world.lane(
        wrap=lambda log, store: (just_before(log, "watch", another_decides_and_is_forgotten), store)
    )
    with pytest.raises(InDoubt):
        lane.take_over("w")
    world.run()
    assert segments(world) == [(None, 2), (2, 3), (3, 2)]
    check_promises(world)


def a_world_whose_last_batch_was_committed_and_not_saved() -> World:
    world = World(max_batch=10)
    calls = Calls()
    former = world.lane(wrap=calls.wrap)
    former.take_over("former")
    world.send(YOUNG)
    former.step(0.0)
    world.send(Order("7", "1", START, (Item(brand="Ön", category="Socks"),)))
    calls.stop_at = len(calls.made) + 4  # poll, load, neighbours, commit, and then save
    with pytest.raises(Crash):
        former.step(0.0)
    assert calls.made[-2:] == ["log.commit", "store.save"]
    return world


def test_an_input_made_anew_while_a_takeover_adopts_decisions_is_decided_from_its_start() -> None:
    """The crash leaves decisions unread that name offsets of the old topic."""
    world = a_world_whose_last_batch_was_committed_and_not_saved()
    world.kafka.create("signups", 1)
    rehearsal = Calls()
    deepcopy(world).lane(wrap=rehearsal.wrap).take_over("rehearsal")
    folded, adopted, _ = (i for i, name in enumerate(rehearsal.made) if name == "store.save")
    assert "log.read_from" in rehearsal.made[folded:adopted]
    with pytest.raises(Crash):
        world.lane(wrap=Calls(adopted).wrap).take_over("successor")
    world.send(OLD, YOUNG_AGAIN)
    world.run()
    assert [change.cause.offset for change in world.changes("7") if change.cause.topic == "signups"] == [
        0,
        0,
        1,
    ]


def test_an_input_made_anew_behind_a_place_and_without_offsets_is_decided_from_its_start() -> None:
    world = a_world_whose_last_batch_was_committed_and_not_saved()
    world.kafka.create("signups", 1)
    world.kafka.offsets.clear()
    world.send(OLD, YOUNG_AGAIN)
    world.run()
    assert [change.cause.offset for change in world.changes("7") if change.cause.topic == "signups"] == [
        0,
        0,
        1,
    ]


def test_an_input_made_anew_is_noticed_and_decided_from_its_start() -> None:
    world = World()
    world.send(YOUNG)
    lane = world.run()
    world.kafka.create("signups", 1)
    world.send(OLD)
    with pytest.raises(InDoubt, match="made anew"):
        lane.step(0.0)
    lane.take_over("w2")
    drain(lane)
    assert segments(world) == [(None, 2), (2, 3)]


def test_a_committed_offset_names_the_topic_that_was_read() -> None:
    """The topic is made anew between the reading of a batch and its commit."""
    world = World()
    world.send(YOUNG)
    lane = world.lane(
        wrap=lambda log, store: (just_before(log, "commit", lambda: world.kafka.create("signups", 1)), store)
    )
    lane.take_over("w")
    lane.step(0.0)
    assert world.kafka.offsets["signups", 0].topic_id == "signups#0"


def test_a_place_that_another_wrote_ends_the_batch() -> None:
    world = World()
    lane = world.take_over()
    world.take_over()
    world.send(YOUNG)
    with pytest.raises(InDoubt):
        lane.step(0.0)


def test_an_idle_lane_sees_that_redis_was_emptied() -> None:
    world = World()
    lane = world.take_over()
    world.redis.places.clear()
    with pytest.raises(InDoubt):
        lane.step(0.0)


def test_an_emptied_redis_is_healed_from_the_log() -> None:
    world = World()
    world.send(YOUNG, OLD)
    world.run()
    world.lose_redis()
    world.run()
    assert segments(world) == [(None, 2), (2, 3)]
    check_promises(world)


def test_an_emptied_redis_after_a_bootstrap_is_refused() -> None:
    world = World()
    world.send(YOUNG)
    world.run()
    world.redis.places.clear()
    world.models.bootstrapped = BootstrapRecord("2024-01-01T00:00:00Z", {})
    with pytest.raises(NeedsRebuild, match="rebuild the states"):
        world.run()
