"""A healing lane finds decisions that differ from the model's, and decides them again."""

from __future__ import annotations

from msgspec.structs import replace

from schemas.inputs.decode import encode_signup
from schemas.outputs.segment_change import SegmentChange
from tests.support.checks.moves import OLD, YOUNG
from tests.support.worlds.lane_world import World, check_promises, drain
from tests.support.worlds.rebuilds import rebuilt


def a_world_of_other_facts() -> World:
    """User 7 was decided young and is old by its log: as if a dead letter of then counts by now."""
    world = World()
    world.send(YOUNG)
    world.run()
    lain = world.kafka.topics["signups"].partitions[0]
    lain[0] = replace(lain[0], value=encode_signup(OLD)[1])
    return world


def last(world: World) -> SegmentChange:
    change = world.changes("7")[-1]
    assert isinstance(change, SegmentChange)
    return change


def check_decided_anew(world: World) -> None:
    change = last(world)
    assert (change.sequence, change.kind, change.cause.type) == (2, "moved", "model")
    assert change.features["age"] == OLD.age
    check_promises(world)


def test_after_redis_was_emptied() -> None:
    world = a_world_of_other_facts()
    world.lose_redis()
    drain(world.take_over())
    check_decided_anew(world)


def test_after_a_rebuild() -> None:
    world = a_world_of_other_facts()
    world.redis = rebuilt(world, {"signups": 1, "orders": 0})
    drain(world.take_over())
    check_decided_anew(world)


def test_who_was_decided_rightly_is_left_alone() -> None:
    world = World()
    world.send(YOUNG)
    world.run()
    world.redis = rebuilt(world, {"signups": 1, "orders": 0})
    assert world.redis.swept[0] == {"7": 1}
    drain(world.take_over())
    assert len(world.changes()) == 1
    check_promises(world)
