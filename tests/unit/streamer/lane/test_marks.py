"""Transaction markers: a lane's place moves past them, so that retention cannot overtake the place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from streamer.interfaces.lane_interfaces import Log, Store
from streamer.lane.lane import Lane
from streamer.place import place as places
from tests.support.checks.moves import OLD, YOUNG
from tests.support.worlds.lane_world import World


class Marked:
    """A log whose partitions go on behind the last record, with so many offsets that hold none."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.behind: dict[str, int] = {}

    def reached(self) -> Mapping[str, int]:
        return {topic: at + self.behind.get(topic, 0) for topic, at in self._log.reached().items()}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)


def a_marked_lane(world: World) -> tuple[Lane, Marked]:
    """A lane and its log."""
    logs: list[Marked] = []

    def wrap(log: Log, store: Store) -> tuple[Log, Store]:
        logs.append(Marked(log))
        return cast(Log, logs[0]), store

    lane = world.lane(wrap=wrap)
    return lane, logs[0]


def place_of(world: World) -> dict[str, int]:
    return places.decode(world.redis.places[0]).positions


def test_an_idle_lane_goes_beyond_a_mark_that_came_after_its_records() -> None:
    world = World()
    lane, log = a_marked_lane(world)
    lane.take_over("w")
    world.send(YOUNG)
    lane.step(0.0)
    assert place_of(world)["signups"] == 1
    log.behind = {"signups": 1}
    lane.step(0.0)
    assert (place_of(world)["signups"], lane.positions["signups"]) == (2, 2)
    before = world.redis.places[0]
    lane.step(0.0)
    assert world.redis.places[0] == before, "nothing is saved where nothing was reached"
    assert len(world.changes()) == 1


def test_so_does_a_busy_one_with_its_next_batch() -> None:
    world = World()
    lane, log = a_marked_lane(world)
    lane.take_over("w")
    log.behind = {"orders": 3}
    world.send(OLD)
    lane.step(0.0)
    assert {topic: place_of(world)[topic] for topic in ("signups", "orders")} == {"signups": 1, "orders": 3}
    assert world.kafka.offsets["orders", 0].offset == 3
