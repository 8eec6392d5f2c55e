"""Rebuilds, switches and drops over memory: what is refused, and what a refused one leaves."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from schemas.errors import NeedsRebuild
from schemas.outputs.segment_change import SegmentChange
from segue.refill.lane_past import LaneLog
from segue.refill.rebuild_steps import Rebuilding, switch, take
from streamer.in_memory import MemoryRedis, MemoryStore
from streamer.interfaces.lane_errors import InDoubt
from streamer.place.place_marks import Refilling, encode_mark, moved_to
from streamer.refill.rebuild_lane import LaneInUse
from streamer.segment.active_model import BootstrapRecord
from tests.support.worlds.lane_world import World, a_signup, check_promises, drain
from tests.support.worlds.made_up_release import a_release, an_active_model
from tests.support.worlds.refolding import a_lane_log

NEW = "segue-2:"


class Leases(dict[str, str]):
    """By live prefix, the one that is named there."""

    def take(self, live: str, into: str) -> bool:
        return self.setdefault(live, into) == into

    def standing(self, live: str) -> str | None:
        return self.get(live)

    def give_back(self, live: str) -> None:
        self.pop(live, None)


def fill(world: World, redis: MemoryRedis, bootstrap: BootstrapRecord | None = None) -> None:
    model = world.models.model
    assert model is not None

    @contextmanager
    def open_log(lane: int) -> Iterator[LaneLog]:
        yield a_lane_log(world, lane)

    steps = Rebuilding(open_log, "segue", world.config, model, bootstrap, None, {}, lambda *_: None, None)
    steps.fill([MemoryStore(redis, lane) for lane in range(world.partitions)], "rebuild 1", anew=False)


def move_to(world: World, setting: str = "segue:", into: str = NEW, leases: Leases | None = None) -> int:
    olds, news = (
        [MemoryStore(world.redis.beside[prefix], lane) for lane in range(world.partitions)]
        for prefix in (setting, into)
    )
    names = (*world.topics.inputs, world.topics.users)
    topic_ids = {name: world.kafka.topics[name].topic_id for name in names}
    return switch(olds, news, into, topic_ids, Leases() if leases is None else leases, {setting})


def a_world(partitions: int = 1) -> World:
    """With another prefix beside the lanes'."""
    world = World(partitions)
    world.redis.beside |= {"segue:": world.redis, NEW: MemoryRedis(prefix=NEW, beside=world.redis.beside)}
    world.send(a_signup("7"), a_signup("21"))
    return world


def test_one_that_cannot_go_on_marks_no_lane() -> None:
    """Else a worker would refuse the lane, and ask for a rebuild, which cannot go on."""
    world = a_world()
    with pytest.raises(NeedsRebuild, match="the group segue has committed no offset of signups in lane 0"):
        fill(world, world.redis)
    world.run()
    world.redis.places.clear()
    with pytest.raises(NeedsRebuild, match="name the warehouse"):
        fill(world, world.redis, BootstrapRecord("2024-01-01T00:00:00Z", {"0": {}}))
    assert world.redis.places == {}


def test_an_offset_beyond_the_end_of_the_log_is_refused() -> None:
    """The log will never hold the events before it, and what comes there instead was never decided."""
    world = a_world()
    world.run()
    world.redis.places.clear()
    signups = world.kafka.topics[world.topics.signups].partitions[0]
    del signups[-1:]
    with pytest.raises(
        NeedsRebuild,
        match=r"the group segue has decided signups up to offset 2 in lane 0, but it ends at 1, so Kafka has"
        r" lost records: set the group's offsets to where the log ends, or begin again from the warehouse",
    ):
        fill(world, world.redis)
    assert world.redis.places == {}


def test_one_that_finds_a_lane_in_use_marks_no_other() -> None:
    world = a_world(2)
    world.run_all()
    del world.redis.places[0]
    with pytest.raises(LaneInUse, match="lane 1 has a place in Redis already"):
        fill(world, world.redis)
    assert world.redis.places.keys() == {1}


def test_a_lane_that_a_bootstrap_or_a_rebuild_left_unfinished_may_move() -> None:
    for mark in (
        encode_mark(Refilling("bootstrap", "bootstrap 1", 3)),
        encode_mark(Refilling("rebuild", "rebuild 2", 3)),
    ):
        world = a_world()
        world.run()
        fill(world, world.redis.beside[NEW])
        world.redis.places[0] = mark
        assert move_to(world) == 1
        assert moved_to(world.redis.places[0]) == NEW


def test_what_lanes_left_when_they_moved_is_no_place_to_move_to() -> None:
    """Each place would point to the other."""
    world = a_world()
    world.run()
    fill(world, world.redis.beside[NEW])
    move_to(world)
    before = dict(world.redis.beside[NEW].places)
    with pytest.raises(
        LaneInUse, match="the states under 'segue:' are old, the lanes have moved to 'segue-2:'"
    ):
        move_to(world, setting=NEW, into="segue:")
    assert world.redis.beside[NEW].places == before


def test_a_name_that_a_lost_switch_left_goes_with_the_switch_back() -> None:
    """Else no rebuild could begin: the lanes cannot move back to that prefix, and it cannot be dropped."""
    world = a_world()
    world.run()
    fill(world, world.redis.beside[NEW])
    leases = Leases({"segue:": NEW, NEW: "segue:"})
    assert move_to(world, leases=leases) == 1
    assert leases == {}


def test_a_prefix_that_the_lanes_have_left_is_not_named() -> None:
    """It could neither be moved to nor dropped, and while it is named no rebuild begins."""
    with pytest.raises(LaneInUse, match="the lanes that were under 'segue:' have moved to 'segue-2:'"):
        take(Leases(), "segue-2:", "segue:", "segue-2:")


def test_a_lane_that_another_moves_meanwhile_is_left_alone() -> None:
    world = a_world()
    world.run()
    fill(world, world.redis.beside[NEW])
    filled = dict(world.redis.beside[NEW].places)
    new = MemoryStore(world.redis.beside[NEW], 0)

    class Looked(MemoryStore):
        """Another switch ends between a look at the lane and its move."""

        looks = 0

        def follow(self) -> bytes | None:
            self.looks += 1
            if self.looks == 2:
                move_to(world)
            return super().follow()

    old = Looked(world.redis, 0)
    assert switch([old], [new], NEW, {}, Leases(), set()) == 0
    assert world.redis.beside[NEW].places == filled


def test_a_lane_that_another_moves_there_and_on_is_left_alone() -> None:
    """Else the two places would point to one another."""
    third = "segue-3:"
    world = a_world()
    world.redis.beside[third] = MemoryRedis(prefix=third, beside=world.redis.beside)
    world.run()
    fill(world, world.redis.beside[NEW])
    fill(world, world.redis.beside[third])
    new = MemoryStore(world.redis.beside[NEW], 0)

    class Looked(MemoryStore):
        looks = 0

        def follow(self) -> bytes | None:
            self.looks += 1
            if self.looks == 2:
                move_to(world)
                move_to(world, into=third)
            return super().follow()

    with pytest.raises(
        LaneInUse, match="the states under 'segue-2:' are old, the lanes have moved to 'segue-3:'"
    ):
        switch([Looked(world.redis, 0)], [new], NEW, {}, Leases(), set())
    assert moved_to(world.redis.beside[third].places[0]) is None


def test_a_torn_lane_is_no_place_to_move_to() -> None:
    world = a_world()
    world.run()
    fill(world, world.redis.beside[NEW])
    world.redis.beside[NEW].torn.add(0)
    with pytest.raises(NeedsRebuild, match="a part of a lost save came back, under 'segue-2:': drop it"):
        move_to(world)


def test_states_of_a_topic_that_is_gone_are_no_place_to_move_to() -> None:
    """The lanes have what came to it after the rebuild, and the log does not any more."""
    world = a_world()
    world.run()
    fill(world, world.redis.beside[NEW])
    world.send(a_signup("7", age=100))
    world.run()
    world.kafka.create(world.topics.signups, 1)
    with pytest.raises(
        NeedsRebuild, match="signups was made anew since the states under 'segue-2:' were made"
    ):
        move_to(world)
    world.run()


def test_a_lane_that_moves_keeps_to_the_release_that_decides_in_it() -> None:
    """The release, of another space, was published after the rebuild had begun."""
    world = a_world()
    world.send(a_signup("21", age=60))
    world.run()
    new = world.redis.beside[NEW]
    fill(world, new)
    world.models.model = an_active_model(4, a_release(scale=2.0))
    lane = world.run()
    move_to(world)
    lane.take_over(world.writer())
    world.send(a_signup("7", age=100))
    lane.step(0.0)

    last = world.changes("7")[-1]
    assert isinstance(last, SegmentChange)
    assert last.activation == 4
    drain(lane)
    assert {space: set(index._angles) for space, index in new.indexes.items() if index._angles} == {
        world.models.model.release.space: {"7", "21"}
    }
    world.redis = new
    check_promises(world)


def test_a_redis_that_loses_the_switch_leads_the_lane_back() -> None:
    world = a_world()
    lane = world.run()
    fill(world, world.redis.beside[NEW])
    before, filled = world.redis.places[0], world.redis.beside[NEW].places[0]
    move_to(world)
    lane.take_over(world.writer())
    assert world.redis.beside[NEW].places[0] != filled

    world.redis.places[0], world.redis.beside[NEW].places[0] = before, filled
    world.send(a_signup("7", age=100))
    lane.take_over(world.writer())
    lane.step(0.0)
    assert world.redis.beside[NEW].places[0] == filled
    check_promises(world)


def test_a_switch_that_is_lost_within_a_takeover_leads_the_lane_back() -> None:
    world = a_world()
    world.run()
    fill(world, world.redis.beside[NEW])
    before = world.redis.places[0]
    move_to(world)

    class Loses(MemoryStore):
        """The pointer is gone once the place under it was read, before anything is saved there."""

        def save(self, *args: Any) -> bool:
            world.redis.places[0] = before
            return super().save(*args)

    lane = world.lane(wrap=lambda log, _: (log, Loses(world.redis, 0)))
    with pytest.raises(InDoubt, match="the place in Redis is not the one that this lane wrote last"):
        lane.take_over("w")
