"""A lane compared with its log at work: every user is looked at, and who differs is looked at again."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing

import pytest

from schemas.input_events import Signup, UserErased
from segue.refill import lane_verify
from segue.refill.lane_verify import Differing, LaneVerify, Users
from streamer.place import place as places
from streamer.place.place import Place
from streamer.refill.compare_states import Kept
from streamer.refill.spill import Spill
from tests.support.worlds.bootstraps import fill
from tests.support.worlds.lane_world import NOW, World
from tests.support.worlds.refolding import a_lane_log, a_past, kept


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane_verify, "_AGAIN_S", 0.0)


@pytest.fixture
def spill() -> Iterator[Spill]:
    with closing(Spill()) as spill:
        yield spill


class LivingRedis:
    """What a world's Redis holds; before each reading the lane acts."""

    def __init__(self, world: World, act: Callable[[int], None] = lambda _: None) -> None:
        self._world = world
        self._act = act
        self.read_ids: list[list[str]] = []

    def read(self, user_ids: Sequence[str]) -> tuple[Place, Mapping[str, Kept]]:
        self.read_ids.append(list(user_ids))
        self._act(len(self.read_ids))
        place = places.decode(self._world.redis.places[0])
        return place, {user_id: kept(self._world, user_id) for user_id in user_ids}


def compared(
    world: World, redis: LivingRedis, spill: Spill, known: Sequence[str] = ()
) -> tuple[int, Differing]:
    lane, differing = compared_lane(world, redis, spill, known)
    return lane.users, differing


def compared_lane(
    world: World, redis: LivingRedis, spill: Spill, known: Sequence[str] = ()
) -> tuple[LaneVerify, Differing]:
    in_redis = spill.shelf()
    in_redis.add(known)
    differing = Differing(spill.shelf())
    past = a_past(world, a_lane_log(world), [], decisions=True)
    past.go_to(places.decode(world.redis.places[0]).positions)
    lane = LaneVerify(past, redis, lambda *_: world.models.model, world.config.rules, lambda _: None)
    lane.compare(Users(in_redis, past.states), differing)
    return lane, differing


def a_world() -> World:
    world = World(1)
    world.send(Signup("7", NOW, age=20), Signup("8", NOW, age=30))
    world.run()
    return world


def test_users_of_redis_and_of_the_log_are_each_compared_once(spill: Spill) -> None:
    world = a_world()
    redis = LivingRedis(world)
    users, differing = compared(world, redis, spill, known=["8", "stranger"])
    assert (users, redis.read_ids) == (3, [["8", "stranger", "7"]])
    assert list(differing) == []


def test_who_comes_meanwhile_is_compared_too(spill: Spill) -> None:
    world = a_world()

    def come(look: int) -> None:
        if look == 1:
            world.send(Signup("9", NOW, age=40), Signup("7", NOW, age=21))
            world.run()

    redis = LivingRedis(world, come)
    users, differing = compared(world, redis, spill)
    assert (users, redis.read_ids) == (3, [["7", "8"], ["9"]])
    assert list(differing) == []


def test_who_differs_is_looked_at_again_and_forgotten_when_it_is_right(spill: Spill) -> None:
    world = a_world()
    right = world.redis.users["7"].fields["segment"]
    world.redis.users["7"].fields["segment"] = b"99"

    def heal(look: int) -> None:
        if look == 3:
            world.redis.users["7"].fields["segment"] = right

    redis = LivingRedis(world, heal)
    users, differing = compared(world, redis, spill)
    assert (users, redis.read_ids) == (2, [["7", "8"], ["7"], ["7"]])
    assert (len(differing), list(differing)) == (0, [])


def test_who_differs_in_the_end_is_told_with_the_differences(spill: Spill) -> None:
    world = a_world()
    world.redis.users["7"].fields["segment"] = b"99"
    users, differing = compared(world, LivingRedis(world), spill)
    ((user_id, (one,)),) = differing
    assert (users, len(differing), user_id, one.field, one.redis) == (2, 1, "7", "field segment", "99")


def test_who_has_a_decision_and_no_facts_does_not_count_as_erased(spill: Spill) -> None:
    """User 7 was erased and came back; user 8 was erased. The new lane knows neither's facts."""
    former, world = World(1), World(1)
    erasures = [UserErased(user_id, NOW.replace(hour=1)) for user_id in ("7", "8")]
    former.send(Signup("7", NOW, age=20), Signup("8", NOW, age=30), *erasures)
    former.send(Signup("7", NOW.replace(hour=2), age=20))
    former.run()
    users = world.topics.users
    world.kafka.topics[users].partitions = former.kafka.topics[users].partitions
    fill(world, [])
    world.redis.users["8"].fields["h:0"] = b"[1]"

    lane, differing = compared_lane(world, LivingRedis(world), spill)

    assert (lane.users, lane.erased) == (2, 1)
    assert {user_id: [one.field for one in differs] for user_id, differs in differing} == {"8": ["h:0"]}
