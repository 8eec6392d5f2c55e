"""Planted faults of commands; :mod:`tests.campaigns.simulation.planted` has the faults of lanes."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from segue.refill import rebuild_steps
from segue.refill.lane_past import LaneLog
from segue.refill.rebuild_steps import Rebuilding
from streamer.in_memory import MemoryStore
from streamer.interfaces.lane_interfaces import Store
from streamer.place.place_marks import Moved, encode_mark, moved_to
from streamer.refill import bootstrap_lanes as bootstraps
from streamer.refill import rebuild_lane
from streamer.refill.numbered_saves import Filler
from streamer.takeover.lane_snapshot import follow_lane
from tests.campaigns.simulation.world import SimStore

Planted = Iterator[None]


@contextmanager
def filling_without_numbers_or_a_count() -> Planted:
    """Leave the same mark after each save, and skip the final count: a lost save does not show."""
    with filling_without_numbers(), patch.object(Filler, "check_count", lambda _: None):
        yield


@contextmanager
def filling_without_numbers() -> Planted:
    """Leave the same mark after each save: the final count sees only missing users, not their contents."""
    right = Filler._mark_of
    with patch.object(Filler, "_mark_of", lambda saves, _: right(saves, 0)):
        yield


@contextmanager
def folding_beyond_the_offsets() -> Planted:
    """Let a rebuild fold every event of the log, even events that no lane has decided."""
    right = Rebuilding._committed

    def wrong(steps: Rebuilding, log: LaneLog) -> dict[str, int]:
        return {topic: log.bounds[topic].end for topic in right(steps, log)}

    with patch.object(Rebuilding, "_committed", wrong):
        yield


@contextmanager
def switching_without_a_fence() -> Planted:
    """Let a worker save without checking whether the lane has moved."""
    right = SimStore.save

    def wrong(store: Any, expected: bytes | None, place: bytes, writes: Any) -> bool:
        stored = store._redis.places.get(store._partition)
        is_worker = store.lane is not None and moved_to(stored) is not None
        return right(store, stored if is_worker else expected, place, writes)

    with patch.object(SimStore, "save", wrong):
        yield


@contextmanager
def switching_to_what_is_not_filled() -> Planted:
    with patch.object(rebuild_lane, "check_filled", lambda *_: None):
        yield


@contextmanager
def staying_where_a_lost_switch_led() -> Planted:
    """Let a moved lane never look at the prefix in its settings again."""

    def follow(store: Any) -> bytes | None:
        while (prefix := moved_to(store._redis.places.get(store._partition))) is not None:
            store._redis = store._redis.beside[prefix]
        believed: bytes | None = store._believed()
        return believed

    with patch.object(MemoryStore, "follow", follow):
        yield


@contextmanager
def pointing_a_lane_to_itself() -> Planted:
    """Let a switch move a lane that another switch has already moved."""

    def move(old: Store, new: Store, prefix: str, topic_ids: Mapping[str, str]) -> bool:
        place, torn = follow_lane(old)
        return torn is None and old.save(place, encode_mark(Moved(prefix)), [])

    with patch.object(rebuild_steps, "move", move):
        yield


@contextmanager
def bootstrapping_with_the_offsets_first() -> Planted:
    """Commit the group's offsets before the records of the last users."""
    right = bootstraps._Filler.recall

    def wrong(filler: Any, recalled: Any) -> None:
        right(filler, recalled)
        for topic in filler._ends.start:
            filler._ends.log.watch(topic)
        filler._ends.log.commit([], filler._ends.start)

    with patch.object(bootstraps._Filler, "recall", wrong):
        yield


@contextmanager
def bootstrapping_over_a_group_that_went_on() -> Planted:
    """Repeat a bootstrap whose end Redis has lost, even if workers have decided events since."""
    right = bootstraps._Filler.check

    def wrong(filler: Any, *, again: bool) -> None:
        if not filler.unfinished:
            right(filler, again=again)

    with patch.object(bootstraps._Filler, "check", wrong):
        yield


COMMANDS: tuple[Callable[[], Any], ...] = (
    filling_without_numbers,
    filling_without_numbers_or_a_count,
    folding_beyond_the_offsets,
    switching_without_a_fence,
    switching_to_what_is_not_filled,
    staying_where_a_lost_switch_led,
    pointing_a_lane_to_itself,
    bootstrapping_with_the_offsets_first,
    bootstrapping_over_a_group_that_went_on,
)
