"""What the dry run knows of users, and how far back it can look."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.outputs.segment_change import Cause, Change, SegmentChange
from schemas.outputs.wire import encode_change
from segue.config.command_line import BadUsage
from segue.config.settings import Settings
from segue.refill.lane_past import LaneLog
from segue.rehearsal import dry_run_triggers
from segue.rehearsal.dry_run_triggers import dry_run
from segue.triggers.file.trigger_file import Trigger, Triggers
from streamer.in_memory import MemoryKafka, MemoryLog
from streamer.interfaces.lane_interfaces import Bounds
from tests.support.inputs.made_change import a_change

NOW = datetime(2024, 12, 31, tzinfo=UTC)
SINCE = NOW - timedelta(days=10)
LANES = 2
ENTERED = Trigger(name="entered", on="entering", segment=1, url="http://x", reentry="always")
LEFT = Trigger(name="left", on="leaving", segment="calm", url="http://x", reentry="always")


class World:
    """The topics of some lanes, in memory; retention deleted the changes before ``begins``."""

    def __init__(self) -> None:
        self.settings = Settings()
        self.kafka = MemoryKafka()
        self.begins = [0] * LANES
        for topic in (self.settings.topics.changes, self.settings.topics.users):
            self.kafka.create(topic, LANES)

    def write(self, change: Change, lane: int = 0, *, only_state: bool = False) -> None:
        self._append(self.settings.topics.users, lane, change)
        if not only_state:
            self._append(self.settings.topics.changes, lane, change)

    def erase_state(self, user_id: str, at: datetime) -> None:
        self.kafka.append(self.settings.topics.users, 0, user_id.encode(), None, int(at.timestamp() * 1000))

    def _append(self, topic: str, lane: int, change: Change) -> None:
        written_ms = int(change.emitted_at.timestamp() * 1000)
        self.kafka.append(topic, lane, change.user_id.encode(), encode_change(change), written_ms)

    def sent(self) -> dict[str, int]:
        counts = dry_run(self.settings, Triggers((ENTERED, LEFT)), SINCE, NOW, lambda read: None)
        return {name: each.sent for name, each in counts.items()}

    @contextmanager
    def lane_log(self, settings: Settings, lane: int) -> Iterator[LaneLog]:
        log, changes = MemoryLog(self.kafka, lane, ()), settings.topics.changes
        bounds = {topic: log.watch(topic) for topic in (changes, settings.topics.users)}
        bounds[changes] = Bounds(self.begins[lane], bounds[changes].end, bounds[changes].topic_id)
        yield LaneLog(lane, log, {}, bounds)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(dry_run_triggers, "lanes_of", lambda settings: LANES)
    monkeypatch.setattr(dry_run_triggers, "lane_log", made.lane_log)
    return made


def a_move(days: float, previous: int | None, segment: int, **fields: Any) -> SegmentChange:
    """A change so many days before or after the beginning."""
    at = SINCE + timedelta(days=days)
    names = ("calm", "At risk", "Champions")
    fields = {"cause": Cause(type="order"), **fields}
    return a_change(
        previous_segment=previous,
        segment=segment,
        segment_name=names[segment],
        occurred_at=at,
        emitted_at=at,
        **fields,
    )


def test_users_of_a_bootstrap_are_known(world: World) -> None:
    """Only their states say the name of the segment that they leave."""
    world.write(a_move(-9, None, 0, cause=Cause(type="bootstrap")), only_state=True)
    world.write(a_move(1, 0, 1))
    assert world.sent() == {"entered": 1, "left": 1}


def test_a_bootstrap_is_newer_than_the_changes_before_it(world: World) -> None:
    world.write(a_move(-9, None, 1))
    world.write(a_move(-5, 1, 0, cause=Cause(type="bootstrap")), only_state=True)
    world.write(a_move(1, 0, 1))
    assert world.sent() == {"entered": 1, "left": 1}


def test_a_state_from_within_the_time_says_nothing_of_before(world: World) -> None:
    world.write(a_move(1, 2, 1, kind="moved"))
    assert world.sent() == {"entered": 1, "left": 0}


@pytest.mark.parametrize(("erased", "entered"), [(-1, 1), (1, 0)], ids=["before", "within"])
def test_an_erased_users_state_is_known_until_the_erasure(world: World, erased: float, entered: int) -> None:
    """Without the state, `confirmed` is the user's first entry."""
    world.write(a_move(-9, None, 1, cause=Cause(type="bootstrap")), only_state=True)
    world.erase_state("7", SINCE + timedelta(days=erased))
    world.write(a_move(0.5, 1, 1, kind="confirmed"))
    assert world.sent() == {"entered": entered, "left": 0}


def test_each_partition_that_lost_changes_must_reach_back(world: World) -> None:
    """A partition that is whole, or reaches back further, says nothing about another."""
    for days, lane in ((-20, 0), (-9, 0), (-15, 1), (2, 1)):
        world.write(a_move(days, *((1, 0) if days < 0 else (0, 1)), user_id=f"{lane}"), lane)
    assert world.sent()["entered"] == 1
    world.begins = [1, 0]
    assert world.sent()["entered"] == 1
    for world.begins in ([0, 1], [1, 1]):
        with pytest.raises(BadUsage, match=r"the log begins at 2024-12-23T00:00:00Z: give at most 8d"):
            world.sent()


def test_a_partition_that_lost_everything_reaches_back_to_nothing(world: World) -> None:
    world.write(a_move(-20, 0, 1))
    world.begins = [1, 0]
    with pytest.raises(BadUsage, match="the log begins at 2024-12-31T00:00:00Z"):
        world.sent()
