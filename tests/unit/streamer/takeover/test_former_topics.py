"""Inputs that were made anew: what a lane still knows of them when Redis is lost later."""

from copy import deepcopy

import pytest

from schemas.errors import NeedsRebuild
from streamer.in_memory import MemoryRedis
from streamer.interfaces.lane_interfaces import Former
from tests.support.checks.moves import OLD, YOUNG
from tests.support.worlds.lane_world import World, drain


def test_a_redis_lost_after_the_inputs_were_made_anew_asks_for_a_backup() -> None:
    """The new topics begin at offset 0, so the log looks whole: an invented move would follow."""
    world = World()
    world.send(YOUNG)
    world.run()
    for topic in world.topics.inputs:
        world.kafka.create(topic, 1)
    lane = world.run()
    for sent in ((), (OLD,)):  # before the lane has committed in the new topics, and after that
        world.send(*sent)
        drain(lane)
        lost = deepcopy(world)
        lost.redis = MemoryRedis()
        with pytest.raises(NeedsRebuild, match=r"signups was made anew.*restore a backup"):
            lost.take_over()


def test_what_was_before_is_told_by_every_offset_from_then_on() -> None:
    world = World()
    world.send(YOUNG)
    world.run()
    world.kafka.create(world.topics.signups, 1)
    world.send(OLD)
    lane = world.run()
    assert world.kafka.offsets["signups", 0].former == Former("signups#0", 1)
    assert world.kafka.offsets["orders", 0].former is None
    assert lane.positions["signups"] == 1

    world.run()
    world.kafka.create(world.topics.signups, 1)
    world.run()
    world.kafka.create(world.topics.signups, 1)
    world.send(YOUNG)
    world.run()
    assert world.kafka.offsets["signups", 0].former == Former("signups#2", 0, earlier=True)
