"""Keys that somebody deletes in Redis: the lane notices, empties itself there, and folds its log again."""

from collections.abc import Callable

import pytest

from schemas.errors import NeedsRebuild
from schemas.input_events import Item, Order
from streamer.in_memory import MemoryStore
from streamer.interfaces.lane_errors import InDoubt, Torn
from streamer.lane.lane import Lane
from streamer.segment.active_model import BootstrapRecord
from streamer.user import order_index
from tests.support.checks.moves import YOUNG
from tests.support.worlds.failing_ends import Calls
from tests.support.worlds.lane_world import NOW, World, a_signup, check_promises, drain, settle


def an_order(order_id: str, brand: str = "Nautica", *, status: str | None = None, minute: int = 0) -> Order:
    at = NOW.replace(minute=minute)
    return Order("7", order_id, NOW, (Item(brand),), status=status, updated_at=at)


def a_world(orders: int = 3) -> World:
    world = World(exclude=("Cancelled",))
    world.send(YOUNG, a_signup("8", age=30), *(an_order(f"{n}") for n in range(orders)))
    world.run()
    return world


def delete_user(world: World) -> None:
    del world.redis.users["7"]


def delete_list(world: World) -> None:
    del world.redis.swept[0]


def delete_both(world: World) -> None:
    delete_user(world)
    del world.redis.swept[0]["7"]


def until_right(world: World, lane: Lane) -> None:
    settle(world, lane)
    check_promises(world)


@pytest.mark.parametrize("delete", [delete_user, delete_list])
def test_a_lost_key_is_noticed_at_the_users_next_event(delete: Callable[[World], None]) -> None:
    """Or the event would find a new user, and invent a first change."""
    world = a_world()
    lane = world.take_over()
    delete(world)
    world.send(an_order("9"))
    with pytest.raises(Torn, match="Redis no longer has all keys of a user of this lane"):
        drain(lane)

    until_right(world, lane)

    assert world.state("7").facts.held == 4


def test_the_same_user_may_lose_its_key_again() -> None:
    """A state that contradicts itself twice is laid at the log's door; a lost key never is."""
    world = a_world()
    lane = world.take_over()
    for order_id in ("8", "9"):
        delete_user(world)
        world.send(an_order(order_id))
        until_right(world, lane)
    assert world.state("7").facts.held == 5


def test_a_user_deleted_before_all_of_its_orders_are_read_has_lost_a_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However often: a state that contradicts itself twice would be laid at the log's door."""
    monkeypatch.setattr(order_index, "MOST_UNINDEXED", 100)

    class Deletes(Calls):
        def call(self, name: str, function: Callable[..., object], *args: object) -> object:
            if name == "store.load_orders" and deletions:
                deletions.pop()(world)
            return super().call(name, function, *args)

    world = a_world()
    deletions: list[Callable[[World], None]] = []
    lane = world.lane(wrap=Deletes().wrap)
    lane.take_over(world.writer())
    for order_id in ("0", "1"):
        deletions.append(delete_user)
        world.send(an_order(order_id, "Levi's", minute=1))
        with pytest.raises(Torn, match="Redis no longer has all keys"):
            drain(lane)
        until_right(world, lane)


@pytest.mark.parametrize("call", ["log.commit", "store.save"])
def test_a_key_deleted_while_a_batch_is_decided_does_not_come_back_without_its_orders(call: str) -> None:
    """The save would write the state and the one new order under a key that lacks the others."""
    world = a_world()

    class Deletes(Calls):
        def call(self, name: str, function: Callable[..., object], *args: object) -> object:
            if name == call and live:
                live.clear()
                delete_both(world)
            return super().call(name, function, *args)

    live: list[bool] = []
    lane = world.lane(wrap=Deletes().wrap)
    lane.take_over(world.writer())
    live.append(True)
    world.send(an_order("9"))
    with pytest.raises(Torn, match="Redis no longer has all keys"):
        drain(lane)
    assert live == []
    assert "7" not in world.redis.users
    world.redis.places.clear()

    until_right(world, lane)

    assert world.state("7").facts.held == 4


def test_a_lane_without_a_place_does_not_fold_onto_the_users_that_are_left() -> None:
    world = a_world()
    world.redis.users["stranger"] = world.redis.users["8"]
    del world.redis.users["7"].orders["1"]  # a part of a user, as no lane leaves it
    world.redis.places.clear()

    world.run()

    assert sorted(world.redis.users) == ["7", "8"]
    assert world.state("7").facts.held == 3
    check_promises(world)


def test_a_new_lane_deletes_no_users_of_the_lanes_before_it() -> None:
    """With more partitions, users of the lanes that were there would seem to be left over in the new ones."""
    world = World(2)
    world.send(*(a_signup(f"{n}", age=30) for n in range(20)))
    world.run_all()
    before = set(world.redis.users)
    more = World(3)
    more.redis = world.redis
    with pytest.raises(NeedsRebuild, match="the inputs have 3 partitions, but the states in Redis were made"):
        more.take_over(2)
    assert set(world.redis.users) == before


def test_a_lost_index_of_orders_is_noticed_when_it_is_read_and_when_it_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(order_index, "MOST_UNINDEXED", 2)
    for event in (an_order("9", "Levi's"), an_order("0", status="Cancelled", minute=1)):
        world = a_world()
        lane = world.take_over()
        world.redis.users["7"].index.clear()
        world.send(event)
        with pytest.raises(Torn, match="Redis no longer has all keys"):
            drain(lane)
        until_right(world, lane)


def test_an_operator_is_asked_where_the_log_is_not_whole() -> None:
    world = a_world()
    lane = world.take_over()
    delete_user(world)
    world.models.bootstrapped = BootstrapRecord("2024-01-01T00:00:00Z", {})
    world.send(an_order("9"))
    with pytest.raises(Torn):
        drain(lane)
    with pytest.raises(NeedsRebuild, match=r"no longer has all keys .*: so the|So the states in Redis"):
        lane.take_over(world.writer())


def test_a_lane_that_another_empties_is_not_called_torn() -> None:
    """A worker that has lost the lane meanwhile sees some of its users deleted, under the other's mark."""
    world = a_world()
    former = world.take_over()
    world.send(an_order("9"))
    world.redis.torn.add(0)

    class Stops(MemoryStore):
        def empty(self, mark: bytes, is_ours: Callable[[str], bool]) -> int | None:
            delete_user(world)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        world.lane(wrap=lambda log, _: (log, Stops(world.redis, 0))).take_over("w")
    with pytest.raises(InDoubt) as doubt:
        drain(former)
    assert not isinstance(doubt.value, Torn)
