"""A rebuild's mark: what it keeps out, and who may write over it."""

import pytest

from schemas.errors import NeedsRebuild
from streamer import place as places
from streamer.lane import Lane
from streamer.memory import MemoryStore
from streamer.rebuild import LaneFiller, LaneInUse
from streamer.state import Facts, UserState
from tests.worlds import NOW, World

USER = UserState("7", Facts(signed_up_at=NOW))


def a_filler(world: World, writer: str = "rebuild 1") -> LaneFiller:
    model = world.models.model
    assert model is not None
    return LaneFiller(0, MemoryStore(world.redis, 0), model, world.config, writer, anew=False)


def fill(filler: LaneFiller) -> int:
    return filler.fill([USER, UserState("8")], {"signups": 1}, {"signups": "id"}, lambda _: None)


def test_a_worker_refuses_a_lane_that_is_being_filled() -> None:
    world = World()
    a_filler(world).begin()
    lane: Lane = world.lane()
    with pytest.raises(NeedsRebuild, match="a rebuild of this Redis prefix did not end: run `segue rebuild`"):
        lane.take_over("w")


def test_a_lane_with_a_place_is_not_filled() -> None:
    world = World()
    world.take_over()
    before = world.redis.places[0]
    with pytest.raises(LaneInUse, match="lane 0 has a place in Redis already"):
        a_filler(world).begin()
    assert world.redis.places[0] == before


def test_one_that_died_is_followed_by_another_which_locks_it_out() -> None:
    world = World()
    first, second = a_filler(world), a_filler(world, "rebuild 2")
    first.begin()
    second.begin()
    with pytest.raises(LaneInUse, match="somebody else writes to lane 0"):
        fill(first)
    assert fill(second) == 1
    assert list(world.redis.users) == ["7"]
    place = places.decode(world.redis.places[0])
    assert (place.positions, place.topic_ids, place.settings) == (
        {"signups": 1},
        {"signups": "id"},
        world.config.settings,
    )
