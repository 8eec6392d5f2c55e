"""Which erasures came before a log goes on: user 7 was erased by the second of its signups' records."""

from datetime import datetime, timedelta

import pytest

from schemas.input_events import Signup, UserErased
from streamer.interfaces.lane_interfaces import Record
from streamer.refill.erasures import erased_before
from tests.support.worlds.bootstraps import fill
from tests.support.worlds.lane_world import NOW, TOPICS, World
from tests.support.worlds.refolding import a_lane_log

ERASED_AT = NOW - timedelta(hours=1)
BEFORE = Signup("7", NOW - timedelta(hours=2), age=20)
ERASED = UserErased("7", ERASED_AT)


def a_world() -> World:
    world = World(1)
    world.send(BEFORE, ERASED)
    world.run()
    return world


def found(world: World, begin: int, known: dict[str, datetime] | None = None) -> dict[str, datetime]:
    log = a_lane_log(world)
    begins = {TOPICS.signups: begin, TOPICS.orders: 0}
    known_to_redis = (known or {}).items()
    with erased_before(log.reader, log.bounds, begins, known_to_redis, world.config) as erasures:
        return dict(erasures)


def lost(world: World, *topics: str) -> None:
    """As after retention or compaction; memory counts records, so something must lie in their places."""
    for topic in topics:
        records = world.kafka.topics[topic].partitions[0]
        records[:] = [Record(topic, 0, offset, None, None, 0) for offset in range(len(records))]


def test_one_in_the_log_is_met_there() -> None:
    world = a_world()
    assert found(world, 0) == found(world, 1) == {}
    assert found(world, 2) == {"7": ERASED_AT}


@pytest.mark.parametrize("gone", [TOPICS.users, TOPICS.changes])
def test_either_output_tells_of_it(gone: str) -> None:
    world = a_world()
    lost(world, gone)
    assert (found(world, 1), found(world, 2)) == ({}, {"7": ERASED_AT})


def test_a_later_life_tells_of_it() -> None:
    world = a_world()
    world.send(Signup("7", NOW, age=30))
    world.run()
    lost(world, TOPICS.changes)
    records = world.kafka.topics[TOPICS.users].partitions[0]
    records[:] = [r if r.offset == 2 else Record(r.topic, 0, r.offset, None, None, 0) for r in records]

    assert (found(world, 1), found(world, 2)) == ({}, {"7": ERASED_AT})


def test_where_no_topic_tells_of_it_redis_does() -> None:
    world = a_world()
    lost(world, TOPICS.users, TOPICS.changes)
    assert found(world, 2) == {}
    assert found(world, 2, {"7": ERASED_AT}) == {"7": ERASED_AT}
    assert found(world, 1, {"7": ERASED_AT}) == {}


def test_one_that_came_before_is_known_though_the_log_tells_it_again() -> None:
    world = a_world()
    world.send(ERASED)
    assert (found(world, 1), found(world, 2)) == ({}, {"7": ERASED_AT})


def test_one_that_a_bootstrap_found_is_known_though_its_log_goes_on_before_it() -> None:
    """Another group read the erasure. The bootstrap's record of user 8 stands behind the null."""
    world = a_world()
    world.kafka.offsets.clear()
    world.redis.places.clear()
    fill(world, [Signup("8", NOW, age=30)], positions=0)
    assert found(world, 0) == {"7": ERASED_AT}


def test_the_last_counts() -> None:
    world = a_world()
    world.send(BEFORE, UserErased("7", NOW), Signup("7", NOW + timedelta(hours=1)))
    world.run()
    assert found(world, 2) == {"7": ERASED_AT}
    assert found(world, 4) == {"7": NOW}
