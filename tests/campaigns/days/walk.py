"""Walk the days with lanes in memory, and compare every user with a recomputation at the end of each day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from msgspec.structs import replace

from schemas.outputs.segment_change import Change, SegmentChange
from schemas.outputs.wire import decode_change
from streamer.segment.active_model import ActiveModel
from streamer.segment.scoring import Scorer
from tests.campaigns.days.shop_days import ONE_DAY, Decision, ShopDays, differences, midnight
from tests.support.worlds.lane_world import Silent, World, drain_all

LANES = 2


class WrongDay(Exception):
    """A user is not where a recomputation says, or a change came twice or on another day."""


@dataclass(frozen=True, slots=True)
class Day:
    """A day that was right.

    Attributes:
        day: the day.
        events: the events of the day.
        users: the users who were compared.
        decided: the users who were decided because the day began.
        changed: how many of them got another decision.
        moved: how many of these are in another segment.
    """

    day: date
    events: int
    users: int
    decided: int
    changed: int
    moved: int


class _Counting(Silent):
    """Counts the users who came due."""

    def __init__(self) -> None:
        super().__init__()
        self.decided = 0

    def came_due(self, day: date, users: int, changes: object, left: int) -> None:
        self.decided += users


class Told:
    """The changes on the topic, read as they come, each checked against the user's change before it."""

    def __init__(self) -> None:
        self._last: dict[str, SegmentChange] = {}

    def check(self, changes: Iterable[Change], day: date) -> list[SegmentChange]:
        """Check the changes of one day; return those that the day alone made.

        Raises:
            WrongDay: a change came twice, does not follow the user's change before it, or names another day.
        """
        by_time = []
        for change in changes:
            assert isinstance(change, SegmentChange)  # no shop here erases users
            former = self._last.get(change.user_id)
            follows = (0, None) if former is None else (former.sequence, former.segment)
            if (change.sequence - 1, change.previous_segment) != follows:
                raise WrongDay(f"{day}: {change} does not follow {former}")
            if change.cause.day != day:
                raise WrongDay(f"{day}: {change} names another day")
            if change.cause.type == "time":
                by_time.append(change)
            self._last[change.user_id] = change
        return by_time


def walk(shop: ShopDays, days: int) -> Iterator[Day]:
    """Let the days pass, and yield each day at its end.

    Raises:
        WrongDay: the day is not right.
    """
    world, watcher, told = World(LANES, features=shop.features, max_batch=1_000), _Counting(), Told()
    world.watcher = watcher
    world.config = replace(world.config, similar_users=1)
    at = midnight(shop.first)
    world.models.model = ActiveModel(shop.release, Scorer(shop.release), 0, "segment-models#0", at)
    world.now = at - timedelta(seconds=1)
    world.send(*shop.before())
    lanes = [world.take_over(lane) for lane in range(LANES)]
    drain_all(lanes)
    changes = _Changes(world)
    told.check(changes.new(), shop.first - ONE_DAY)
    for number in range(days):
        day = shop.first + number * ONE_DAY
        watcher.decided = 0
        world.now = midnight(day)
        drain_all(lanes)
        by_time = told.check(changes.new(), day)
        world.now = midnight(day + ONE_DAY) - timedelta(seconds=1)
        world.send(*shop.of(day))
        drain_all(lanes)
        if told.check(changes.new(), day):
            raise WrongDay(f"{day}: users moved by time after the day had begun")
        right = shop.right_at_end_of(day)
        if wrong := differences(right, _found(world)):
            raise WrongDay(f"{day}: {len(wrong):,} of {len(right):,} users differ; {wrong[0]}")
        moved = sum(change.kind == "moved" for change in by_time)
        yield Day(day, len(shop.of(day)), len(right), watcher.decided, len(by_time), moved)


class _Changes:
    """The changes on a world's topic, each read once."""

    def __init__(self, world: World) -> None:
        self._partitions = world.kafka.topics[world.topics.changes].partitions
        self._read = [0] * len(self._partitions)

    def new(self) -> list[Change]:
        """Return the changes since the last call."""
        found = []
        for lane, records in enumerate(self._partitions):
            values = (record.value for record in records[self._read[lane] :])
            found += [decode_change(value) for value in values if value is not None]
            self._read[lane] = len(records)
        return found


def _found(world: World) -> dict[str, Decision]:
    """Every user's decision in Redis."""
    return {
        user_id: Decision(int(user.fields["segment"]), user.fields["provisional"] == b"1")
        for user_id, user in world.redis.users.items()
    }
