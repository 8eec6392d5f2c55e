"""A bug raises in our own code: the event is not acknowledged, unlike one whose Faust agent raised."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from streamer.lane.lane import Lane
from streamer.segment import decide_event
from streamer.segment.scoring import Scorer
from streamer.status.worker_metrics import Metrics
from streamer.takeover import healing
from streamer.worker.lane_boards import LaneBoard, StatusBoard
from streamer.worker.lane_threads import LaneThreads, OpenLane
from tests.support.checks.moves import OLD, YOUNG, YOUNG_AGAIN, segments
from tests.support.servers.services import eventually
from tests.support.strategies.events import START
from tests.support.worlds.lane_world import World, check_promises, drain


def where(folds: Any) -> pytest.MarkDecorator:
    """In the fold that this module calls, and in the scorer."""
    return pytest.mark.parametrize(
        ("owner", "name"), [(folds, "fold"), (Scorer, "score")], ids=["fold", "score"]
    )


@contextmanager
def raising(owner: Any, name: str, calls_before: int) -> Iterator[None]:
    """The call after so many others raises, and no other: whoever went on after it would get through."""
    right, made = getattr(owner, name), itertools.count()

    def wrong(*args: Any, **named: Any) -> Any:
        if next(made) == calls_before:
            raise ValueError("a bug")
        return right(*args, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, wrong)
        yield


def everything(world: World) -> Any:
    """All that Kafka and Redis hold, as values."""
    redis = world.redis
    indexes = {space: index.nearest(0.0, len(index)) for space, index in redis.indexes.items()}
    return deepcopy((world.kafka, redis.places, redis.swept, redis.users, indexes))


@where(decide_event)
@pytest.mark.parametrize("decided_before", [0, 1, 2], ids=["at the first", "at the second", "at the last"])
def test_an_exception_while_deciding_commits_nothing_and_the_next_takeover_decides_once(
    owner: Any, name: str, decided_before: int
) -> None:
    """Whichever event of the batch it is, one in the middle takes those before it with it."""
    world = World(max_batch=10)
    world.send(YOUNG)
    lane = world.run()
    world.send(OLD, YOUNG_AGAIN, replace(OLD, created_at=START.replace(hour=3)))
    before = everything(world)
    with raising(owner, name, decided_before), pytest.raises(ValueError, match="a bug"):
        lane.step(0.0)
    assert everything(world) == before
    assert world.kafka.offsets["signups", 0].offset == 1

    world.run()
    assert segments(world) == [(None, 2), (2, 3), (3, 2), (2, 3)]
    check_promises(world)


@where(healing)
def test_an_exception_while_healing_leaves_the_rest_to_the_next_takeover(owner: Any, name: str) -> None:
    world = World(max_batch=1)
    world.send(YOUNG, OLD, YOUNG_AGAIN)
    world.run()
    told = world.changes()
    world.lose_redis()
    committed = deepcopy(world.kafka.offsets)
    with raising(owner, name, 2), pytest.raises(ValueError, match="a bug"):
        world.take_over()
    assert (world.changes(), world.kafka.offsets) == (told, committed)

    world.run()
    assert world.changes() == told
    check_promises(world)


@where(decide_event)
def test_the_thread_of_a_lane_goes_no_further_than_an_exception_and_ends_the_worker(
    owner: Any, name: str
) -> None:
    """A batch holds one event. Those behind the event that raises must not be committed over it."""
    world, board = World(max_batch=1), StatusBoard(Metrics())
    world.send(YOUNG, OLD, YOUNG_AGAIN)
    with raising(owner, name, 1), capture_logs() as lines:
        threads = LaneThreads(opener(world), lambda _: True, board)
        threads.own(frozenset({0}))
        eventually(lambda: threads.failure() is not None, "the worker is told to end")
        assert [status.phase for status in board.statuses()] == ["stopped"]
        assert isinstance(threads.failure(), ValueError)
        threads.disown([0])
    assert "lane failed" in [line["event"] for line in lines]
    assert segments(world) == [(None, 2)]
    assert world.kafka.offsets["signups", 0].offset == 1

    drain(world.take_over())
    assert segments(world) == [(None, 2), (2, 3), (3, 2)]
    check_promises(world)


def opener(world: World) -> Callable[[LaneBoard, Callable[[], bool]], OpenLane]:
    """Opens the world's lane as a worker does."""

    def open_lane(_board: LaneBoard, _closing: Callable[[], bool]) -> OpenLane:
        lane: Lane = world.lane()
        return OpenLane(lane, lane._log, lane._store)

    return open_lane
