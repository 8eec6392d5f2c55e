"""Replay a world's lane in memory from its log, as `segue replay` does."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime

from segue.refill.lane_past import past_begins
from segue.refill.lane_replay import LaneReplay, LaneWindow
from segue.refill.replay_window import Wanted, window_of
from streamer.refill.bootstrap_lanes import Fact
from streamer.refill.replay_lane import UserReplay
from tests.support.worlds.lane_world import NOW, World
from tests.support.worlds.refolding import a_lane_log, a_past


def replayed(
    world: World,
    begin: Mapping[str, int] | None = None,
    end: Mapping[str, int] | None = None,
    lane: int = 0,
    *,
    warehouse: Sequence[Fact] | None = None,
) -> dict[str, UserReplay]:
    """Replay the window; return by user the result beside the live decision.

    The arguments are those of :func:`a_window`.
    """
    replay = replay_of(world, begin, end, lane, warehouse=warehouse)
    for _ in replay.changes(lambda: NOW):
        pass
    return {one.user_id: one for one in replay.compared()}


def replay_of(
    world: World,
    begin: Mapping[str, int] | None = None,
    end: Mapping[str, int] | None = None,
    lane: int = 0,
    *,
    warehouse: Sequence[Fact] | None = None,
) -> LaneReplay:
    """Return a replay of the window by the world's release; the arguments are those of :func:`a_window`."""
    model = world.models.model
    assert model is not None
    return LaneReplay(a_window(world, begin, end, lane, warehouse=warehouse), model)


def a_window(
    world: World,
    begin: Mapping[str, int] | None = None,
    end: Mapping[str, int] | None = None,
    lane: int = 0,
    *,
    warehouse: Sequence[Fact] | None = None,
) -> LaneWindow:
    """Return a window of the world's lane, ready to be decided again.

    Args:
        begin: the offsets at which the window begins; None: the beginning of the lane's past.
        end: the offsets at which the window ends; None: the lane's committed offsets.
        warehouse: the facts of the bootstrap, if there was one, grouped by user.
    """
    inputs = world.topics.inputs
    log = a_lane_log(world, lane)
    past_at = past_begins({topic: log.bounds[topic] for topic in inputs}, lane, world.models.bootstrapped)
    wanted = Wanted(
        begin=None if begin is None else {lane: tuple(begin[topic] for topic in inputs)},
        end=None if end is None else {lane: tuple(end[topic] for topic in inputs)},
    )
    return LaneWindow(
        log,
        window_of(world.topics, log, past_at, wanted, _no_time),
        a_past(world, log, warehouse, decisions=False),
        world.config,
        lambda: nullcontext(a_lane_log(world, lane).reader),
        None,
        lambda _: None,
    )


def _no_time(topic: str, partition: int, at: datetime) -> int:
    raise AssertionError("no time was asked for")
