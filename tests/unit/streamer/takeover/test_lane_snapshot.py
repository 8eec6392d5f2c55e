"""A lane in Kafka and Redis, as of one moment, while another worker takes it."""

import pytest

from streamer.in_memory import MemoryLog, MemoryStore
from streamer.interfaces.lane_errors import InDoubt
from streamer.interfaces.lane_interfaces import Bounds, Committed
from streamer.takeover.lane_snapshot import read_snapshot
from tests.support.checks.moves import OLD, YOUNG
from tests.support.worlds.lane_world import TOPICS, World


def ends(world: World) -> tuple[MemoryLog, MemoryStore]:
    log = MemoryLog(world.kafka, 0, TOPICS.inputs)
    log.fence()
    return log, MemoryStore(world.redis, 0)


def a_world() -> World:
    """Lane 0 has taken one signup."""
    world = World()
    world.send(YOUNG)
    world.run()
    return world


def test_it_says_where_the_lane_stands_and_names_the_topics() -> None:
    world = a_world()

    snapshot = read_snapshot(*ends(world), TOPICS)

    assert snapshot.committed["signups"] == Committed(1, "signups#0")
    assert snapshot.inputs == {"signups": Bounds(0, 1, "signups#0"), "orders": Bounds(0, 0, "orders#0")}
    # In memory what ends a transaction takes no offset.
    assert snapshot.users == Bounds(0, 1, "user-segments#0")
    assert snapshot.place is not None
    assert snapshot.place.positions == {"signups": 1, "orders": 0, "user-segments": 1}
    assert snapshot.topic_ids(TOPICS) == {
        "signups": "signups#0",
        "orders": "orders#0",
        "user-segments": "user-segments#0",
    }


def test_nothing_anywhere() -> None:
    snapshot = read_snapshot(*ends(World()), TOPICS)

    assert (snapshot.committed, snapshot.stored, snapshot.place) == ({}, None, None)


def test_it_is_current_until_another_worker_commits() -> None:
    world = a_world()
    log, store = ends(world)
    snapshot = read_snapshot(log, store, TOPICS)
    snapshot.ensure_current(log, store)
    world.send(OLD)
    world.run()

    with pytest.raises(InDoubt, match="another worker has taken this lane over"):
        snapshot.ensure_current(log, store)


def test_it_is_current_until_another_worker_saves() -> None:
    world = a_world()
    log, store = ends(world)
    snapshot = read_snapshot(log, store, TOPICS)
    world.lane().take_over("another, which commits nothing")

    with pytest.raises(InDoubt, match="another worker has taken this lane over"):
        snapshot.ensure_current(log, store)


def test_what_another_worker_commits_meanwhile_is_a_doubt() -> None:
    class Overtaken(MemoryLog):
        def watch(self, topic: str) -> Bounds:
            bounds = super().watch(topic)
            if topic == TOPICS.users:
                world.send(OLD)
                world.run()
            return bounds

    world = a_world()
    log = Overtaken(world.kafka, 0, TOPICS.inputs)
    log.fence()

    with pytest.raises(InDoubt, match="another worker has taken this lane over"):
        read_snapshot(log, MemoryStore(world.redis, 0), TOPICS)
