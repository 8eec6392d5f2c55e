"""A rebuild's mark: what it keeps out, and who may write over it."""

from collections.abc import Sequence
from copy import deepcopy

import pytest
from msgspec.structs import replace

from schemas.errors import NeedsRebuild, Unreachable
from streamer.in_memory import MemoryStore, MemoryUser
from streamer.interfaces.lane_errors import InDoubt
from streamer.interfaces.lane_interfaces import UserWrite
from streamer.lane.lane import Lane
from streamer.place import place as places
from streamer.place.place_marks import Refilling, encode_mark, is_refilled, moved_to
from streamer.refill.rebuild_lane import LaneFiller, LaneInUse, check_filled, move
from streamer.user.user_state import Facts, UserState
from tests.support.worlds.lane_world import NOW, World, a_signup

USER = UserState("7", Facts(signed_up_at=NOW))


def a_filler(world: World, writer: str = "rebuild 1", lane: int = 0) -> LaneFiller:
    model = world.models.model
    assert model is not None
    return LaneFiller(lane, MemoryStore(world.redis, lane), model, world.config, writer, anew=False)


def begin(*fillers: LaneFiller) -> None:
    """As a rebuild does, which has a filler for each lane."""
    for filler in fillers:
        filler.look()
    again = any(filler.unfinished for filler in fillers)
    for filler in fillers:
        filler.check(again=again)
    for filler in fillers:
        filler.begin()


def filled(prefix: str) -> MemoryStore:
    """A store whose lane can continue."""
    world = World()
    world.take_over()
    world.redis.prefix = prefix
    return MemoryStore(world.redis, 0)


def fill(filler: LaneFiller) -> int:
    users = filler.fill([USER, UserState("8")], {"signups": 1}, {"signups": "id"}, lambda _: None)
    filler.write_place()
    return users


def test_a_worker_refuses_a_lane_that_is_being_filled() -> None:
    world = World()
    begin(a_filler(world))
    lane: Lane = world.lane()
    with pytest.raises(NeedsRebuild, match="a rebuild of this Redis prefix did not end: run `segue rebuild`"):
        lane.take_over("w")


def test_a_lane_with_a_place_is_not_filled() -> None:
    world = World()
    world.take_over()
    before = world.redis.places[0]
    with pytest.raises(LaneInUse, match="lane 0 has a place in Redis already"):
        begin(a_filler(world))
    assert world.redis.places[0] == before


def test_a_lane_is_moved_by_one_write_and_whoever_worked_on_it_is_in_doubt() -> None:
    world = World()
    lane = world.take_over()
    world.send(a_signup("7"))

    assert move(MemoryStore(world.redis, 0), filled("segue-2:"), "segue-2:", {})

    assert moved_to(world.redis.places[0]) == "segue-2:"
    with pytest.raises(InDoubt, match="the place in Redis is not the one that this lane wrote last"):
        lane.step(0.0)
    assert "7" not in world.redis.users
    with pytest.raises(NeedsRebuild, match="the lane's states have moved: set redis_prefix to 'segue-2:'"):
        places.decode(world.redis.places[0])


def test_a_lane_whose_prefix_went_back_to_a_rebuilds_mark_moves_to_the_next_one() -> None:
    """Redis lost the end of a rebuild after the move: workers refuse the lane, and another rebuild helps."""
    world = World()
    world.redis.places[0] = encode_mark(Refilling("rebuild", "rebuild 1", 3))

    assert move(MemoryStore(world.redis, 0), filled("segue-3:"), "segue-3:", {})

    assert moved_to(world.redis.places[0]) == "segue-3:"


def test_a_worker_that_saves_at_the_same_time_is_waited_for_but_not_for_ever() -> None:
    world = World()
    world.take_over()
    store = Busy(world.redis, 0)
    new = filled("segue-2:")
    store.refusals = 10_000
    with pytest.raises(LaneInUse, match="a lane's place changed 1000 times"):
        move(store, new, "segue-2:", {})
    store.refusals = 3
    assert move(store, new, "segue-2:", {})


class Busy(MemoryStore):
    """Somebody else saves just before."""

    refusals = 0

    def save(self, expected: bytes | None, place: bytes, writes: Sequence[UserWrite]) -> bool:
        if self.refusals:
            self.refusals -= 1
            return False
        return super().save(expected, place, writes)


def test_lanes_are_moved_only_to_what_is_filled_and_for_the_workers_settings() -> None:
    world = World()
    world.take_over()
    old = world.redis.places[0]
    place = places.decode(old)
    other = places.encode(replace(place, settings=replace(place.settings, exclude_statuses=("Cancelled",))))

    ids = place.topic_ids
    check_filled(old, old, "segue-2:", ids)
    check_filled(None, other, "segue-2:", ids)
    with pytest.raises(NeedsRebuild, match="a lane has no place under 'segue-2:'"):
        check_filled(old, None, "segue-2:", ids)
    with pytest.raises(NeedsRebuild, match="a rebuild of this Redis prefix did not end"):
        check_filled(old, encode_mark(Refilling("rebuild", "r", 1)), "segue-2:", ids)
    with pytest.raises(NeedsRebuild, match="made for other settings than the workers'"):
        check_filled(old, other, "segue-2:", ids)
    with pytest.raises(
        NeedsRebuild, match="orders was made anew since the states under 'segue-2:' were made"
    ):
        check_filled(old, old, "segue-2:", {**ids, "orders": "orders#1"})


def test_one_that_died_is_followed_by_another_which_locks_it_out() -> None:
    world = World()
    first, second = a_filler(world), a_filler(world, "rebuild 2")
    begin(first)
    begin(second)
    with pytest.raises(LaneInUse, match="another program writes to lane 0"):
        fill(first)
    assert fill(second) == 1
    assert list(world.redis.users) == ["7"]
    place = places.decode(world.redis.places[0])
    assert (place.positions, place.topic_ids, place.settings) == (
        {"signups": 1},
        {"signups": "id"},
        world.config.settings,
    )


def test_one_that_stalled_before_it_cleared_deletes_nothing_of_the_next() -> None:
    """Not what another rebuild has filled since, nor what a worker has made of it."""
    world = World()
    first, second = a_filler(world), a_filler(world, "rebuild 2")
    begin(first)
    begin(second)
    second.clear()
    fill(second)
    with pytest.raises(LaneInUse, match="another program writes to lane 0"):
        first.clear()
    assert list(world.redis.users) == ["7"]


def test_one_that_died_in_its_last_step_is_run_again() -> None:
    """Some lanes have their place, others are marked still."""
    world = World(2)
    died = [a_filler(world, lane=lane) for lane in range(2)]
    begin(*died)
    fill(died[0])
    again = [a_filler(world, "rebuild 2", lane) for lane in range(2)]
    begin(*again)
    again[0].clear()
    assert [fill(filler) for filler in again] == [1, 1]
    assert {places.decode(place).writer for place in world.redis.places.values()} == {"rebuild 2"}


def test_a_lane_that_a_worker_has_taken_since_is_not_filled_again() -> None:
    world = World(2)
    died = [a_filler(world, lane=lane) for lane in range(2)]
    begin(*died)
    fill(died[0])
    lane = places.decode(world.redis.places[0])
    world.redis.places[0] = places.encode(replace(lane, writer="5c1f"))
    with pytest.raises(LaneInUse, match="lane 0 has a place in Redis already"):
        begin(*(a_filler(world, "rebuild 2", lane) for lane in range(2)))


def test_one_that_ended_is_not_run_again() -> None:
    world = World()
    ended = a_filler(world)
    begin(ended)
    fill(ended)
    with pytest.raises(LaneInUse, match="lane 0 has a place in Redis already"):
        begin(a_filler(world, "rebuild 2"))


def two_lanes_filled(world: World, *, back: str) -> None:
    """As a rebuild does, over a Redis that goes back to a snapshot of after the marks."""
    fillers = [a_filler(world, lane=lane) for lane in (0, 1)]
    begin(*fillers)
    fillers[0].clear()
    marked = deepcopy(world.redis)

    def go_back(now: str) -> None:
        if back == now:
            world.redis.places, world.redis.users = dict(marked.places), dict(marked.users)
            world.redis.swept, world.redis.indexes = dict(marked.swept), dict(marked.indexes)

    fillers[0].fill([USER], {"signups": 1}, {"signups": "id"}, lambda _: None)
    go_back("while lane 1 is read")
    fillers[1].fill([replace(USER, user_id="8")], {"signups": 1}, {"signups": "id"}, lambda _: None)
    go_back("before the users are counted")
    for filler in fillers:
        filler.check_count()
    go_back("before the places")
    for filler in fillers:
        filler.write_place()
    go_back("in the end")
    for filler in fillers:
        filler.confirm()


@pytest.mark.parametrize(
    "back", ["while lane 1 is read", "before the users are counted", "before the places", "in the end"]
)
def test_a_redis_that_goes_back_while_it_is_filled_is_noticed(back: str) -> None:
    world = World(2)
    with pytest.raises(Unreachable, match=r"lane 0.*run the same rebuild again"):
        two_lanes_filled(world, back=back)
    assert is_refilled(world.redis.places[0], "rebuild")
    two_lanes_filled(world, back="never")
    assert world.redis.users.keys() == {"7", "8"}


def test_a_deletion_that_is_lost_before_the_next_mark_is_done_again() -> None:
    world = World()
    world.redis.users["left"] = MemoryUser({}, {"1": b"{}"})

    class Loses(MemoryStore):
        lost = False

        def save(self, expected: bytes | None, place: bytes, writes: Sequence[UserWrite]) -> bool:
            if expected is not None and not self.lost:
                self.lost = True
                world.redis.users["left"] = MemoryUser({}, {"1": b"{}"})
            return super().save(expected, place, writes)

    model = world.models.model
    assert model is not None
    filler = LaneFiller(0, Loses(world.redis, 0), model, world.config, "rebuild 1", anew=False)
    begin(filler)
    filler.clear()
    assert world.redis.users == {}


def test_users_of_nobody_knows_whom_are_counted_too() -> None:
    world = World()
    filler = a_filler(world)
    begin(filler)
    filler.fill([USER], {"signups": 1}, {"signups": "id"}, lambda _: None)
    world.redis.swept[0]["stranger"] = 0
    with pytest.raises(Unreachable, match="lane 0 has 2 users in Redis, and 1 were written"):
        filler.check_count()
