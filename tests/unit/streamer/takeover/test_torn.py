"""A store that holds what no lane saved: the lane is emptied there, and folded again."""

import json
from collections.abc import Callable, Sequence
from copy import deepcopy

import pytest

from schemas.errors import NeedsRebuild
from schemas.input_events import Item, Order
from streamer.in_memory import MemoryStore
from streamer.interfaces.lane_errors import InDoubt, Torn
from streamer.interfaces.lane_interfaces import Log, Store, UserWrite
from streamer.place import place as places
from streamer.place.place_marks import is_emptied, moved_to
from streamer.refill.rebuild_lane import move
from streamer.segment.active_model import BootstrapRecord
from tests.support.checks.moves import YOUNG
from tests.support.checks.stored_json import state_json
from tests.support.worlds.lane_world import NOW, World, check_promises, drain
from tests.unit.streamer.refill.test_rebuild_lane import a_filler, begin, fill, filled


def an_order(brand: str, updated: int = 0) -> Order:
    return Order("7", "A", NOW, (Item(brand),), updated_at=NOW.replace(minute=updated))


def a_world() -> World:
    world = World()
    world.send(YOUNG, an_order("Nautica"))
    world.run()
    return world


def forget_brands(world: World) -> None:
    stored = state_json(world.redis.users["7"].fields["state"])
    del stored["facts"]["brands"]
    world.redis.users["7"].fields["state"] = json.dumps(stored).encode()


@pytest.mark.parametrize(
    "spoil",
    [
        forget_brands,
        lambda world: world.redis.users["7"].fields.update(state=b'{"facts":{}}'),
        lambda world: world.redis.users["7"].fields.update(state=b"{"),
        lambda world: world.redis.users["7"].orders.update(A=b"{"),
    ],
    ids=["an order that is not counted", "more orders than counted", "no state", "no order"],
)
def test_a_state_that_contradicts_itself_is_folded_again_and_the_record_applied(
    spoil: Callable[[World], None],
) -> None:
    world = a_world()
    spoil(world)
    lane = world.take_over()
    world.send(an_order("Levi's", updated=1))
    with pytest.raises(Torn, match="a user's state in Redis contradicts itself"):
        drain(lane)

    lane.take_over(world.writer())
    drain(lane)

    assert world.state("7").facts.brands.keys() == {"Levi's"}
    assert world.records(world.topics.dead_letters) == []
    check_promises(world)


def test_what_the_log_says_again_is_not_laid_at_the_stores_door() -> None:
    """Or the lane would fold its log again and again."""
    store = MemoryStore(a_world().redis, 0)
    assert isinstance(store.doubt("7"), Torn)
    with pytest.raises(Torn) as torn:
        store.follow()
    assert store.replace_torn(torn.value, b"m")
    assert store.follow() == b"m"
    assert store.doubt("7") is None
    assert isinstance(store.doubt("8"), Torn)


def test_an_operator_is_asked_where_the_log_is_not_whole_and_redis_stays_as_it_is() -> None:
    world = a_world()
    world.redis.torn.add(0)
    before = dict(world.redis.places)
    world.models.bootstrapped = BootstrapRecord("2024-01-01T00:00:00Z", {})
    with pytest.raises(
        NeedsRebuild, match=r"came back. So the states in Redis do not count: .*segue rebuild"
    ):
        world.take_over()
    assert world.redis.places == before


class _Stops(MemoryStore):
    """The process dies after so many saves."""

    saves = 1

    def save(self, expected: bytes | None, place: bytes, writes: Sequence[UserWrite]) -> bool:
        if self.saves == 0:
            raise InterruptedError
        self.saves -= 1
        return super().save(expected, place, writes)


def test_whoever_finds_a_lane_half_emptied_empties_it_again() -> None:
    world = a_world()
    world.redis.torn.add(0)

    left = deepcopy(world.redis.users["7"])

    def dying(log: Log, _: Store) -> tuple[Log, Store]:
        return log, _Stops(world.redis, 0)

    with pytest.raises(InterruptedError):
        world.lane(wrap=dying).take_over("w")
    assert is_emptied(world.redis.places[0])
    with pytest.raises(NeedsRebuild, match="a worker empties this lane, to fold it again"):
        places.decode(world.redis.places[0])
    world.redis.users |= {"7": left, "stranger": left}  # as if the deletion was lost

    world.run()

    assert list(world.redis.users) == ["7"]
    check_promises(world)


def test_a_lane_that_loses_the_deletion_does_not_go_on() -> None:
    """The place that says that the lane is empty is lost with it."""
    world = a_world()
    world.redis.torn.add(0)
    marked: list[bytes] = []

    class Watched(MemoryStore):
        def save(self, expected: bytes | None, place: bytes, writes: Sequence[UserWrite]) -> bool:
            if expected is not None and is_emptied(expected) and is_emptied(place):
                marked.append(expected)
            elif marked:
                world.redis.places[0] = marked[0]
            return super().save(expected, place, writes)

    with pytest.raises(InDoubt, match="the place in Redis is not the one that"):
        world.lane(wrap=lambda log, _: (log, Watched(world.redis, 0))).take_over("w")
    assert marked


def test_a_deletion_that_is_lost_before_the_next_mark_is_done_again() -> None:
    world = a_world()
    world.redis.torn.add(0)
    lost = [deepcopy(world.redis.users)]

    class Loses(MemoryStore):
        def save(self, expected: bytes | None, place: bytes, writes: Sequence[UserWrite]) -> bool:
            if lost and is_emptied(expected):
                world.redis.users |= {"stranger": lost.pop()["7"]}
            return super().save(expected, place, writes)

    world.lane(wrap=lambda log, _: (log, Loses(world.redis, 0))).take_over("w")
    assert not lost
    assert list(world.redis.users) == ["7"]


def test_a_torn_lane_is_left_for_another_prefix_or_filled_anew() -> None:
    world = a_world()
    world.redis.torn.add(0)
    assert move(MemoryStore(world.redis, 0), filled("segue-2:"), "segue-2:", {})
    assert moved_to(world.redis.places[0]) == "segue-2:"

    other = World()
    begin(a_filler(other))
    other.redis.torn.add(0)
    second = a_filler(other, "rebuild 2")
    begin(second)
    assert fill(second) == 1
    assert other.redis.torn == set()


def test_what_comes_back_to_a_lane_without_a_place_is_deleted() -> None:
    """Another worker had emptied the lane; then Redis lost that, after this worker had looked."""
    world = a_world()
    left = deepcopy(world.redis.users["7"])
    world.redis.places.clear()
    world.redis.users.clear()
    world.redis.swept.clear()
    world.redis.indexes.clear()
    lost = [left]

    class Loses(MemoryStore):
        def save(self, expected: bytes | None, place: bytes, writes: Sequence[UserWrite]) -> bool:
            if lost:
                world.redis.users |= {"stranger": lost.pop()}
            return super().save(expected, place, writes)

    world.lane(wrap=lambda log, _: (log, Loses(world.redis, 0))).take_over("w")
    assert list(world.redis.users) == ["7"]
