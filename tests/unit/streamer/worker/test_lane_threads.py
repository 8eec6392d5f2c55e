"""Lanes as threads: what opens, waits, ends the worker, and closes."""

import errno
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from schemas.errors import BadTopics, Unreachable
from streamer.interfaces.lane_errors import Fenced, InDoubt
from streamer.status.worker_metrics import Metrics
from streamer.worker import lane_boards as board
from streamer.worker import lane_threads
from streamer.worker.lane_boards import LaneBoard, StatusBoard
from streamer.worker.lane_threads import LaneThreads, OpenLane
from tests.support.servers.services import eventually


class FakeLane:
    """A lane whose steps do what the test says; also its log and its store."""

    def __init__(self, board: LaneBoard) -> None:
        self.board = board
        self.takeovers = 0
        self.closed = 0
        self.on_take_over: Callable[[], None] = lambda: None
        self.on_step: Callable[[], object] = lambda: None
        self._idle = threading.Event()

    def take_over(self, writer: str) -> None:
        self.takeovers += 1
        self.on_take_over()
        self.board.phase("live", None)

    def step(self, timeout_s: float) -> int:
        self.on_step()
        self._idle.wait(0.005)
        return 0

    def close(self) -> None:
        self.closed += 1


class Fleet:
    """The lanes opened so far, and the threads that run them."""

    def __init__(self) -> None:
        self.opened: list[FakeLane] = []
        self.prepare: Callable[[FakeLane], None] = lambda lane: None
        self.ours = True
        self.board = StatusBoard(Metrics())
        self.threads = LaneThreads(self._open, lambda partition: self.ours, self.board)

    def _open(self, board: LaneBoard, closing: Callable[[], bool]) -> OpenLane:
        lane = FakeLane(board)
        self.prepare(lane)
        self.opened.append(lane)
        stand_in: Any = lane
        return OpenLane(stand_in, stand_in, stand_in)


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    monkeypatch.setattr(lane_threads, "WAIT_S", 0.01)
    monkeypatch.setattr(lane_threads, "MOST_WAIT_S", 0.02)
    made = Fleet()
    yield made
    made.threads.disown(range(8))


def phases(fleet: Fleet) -> dict[int, str]:
    return {status.partition: status.phase for status in fleet.threads.statuses()}


def failing_once(error: BaseException) -> Callable[[], None]:
    errors = [error]

    def step() -> None:
        if errors:
            raise errors.pop()

    return step


def test_lanes_open_once_and_close_with_their_connections(fleet: Fleet) -> None:
    fleet.threads.own(frozenset({1, 2}))
    fleet.threads.own(frozenset({1, 2}))
    eventually(lambda: phases(fleet) == {1: "live", 2: "live"}, "both lanes live")
    fleet.threads.disown([1])
    assert phases(fleet) == {2: "live"}
    (closed,) = [lane for lane in fleet.opened if lane.board.partition == 1]
    assert closed.closed == 2  # its log and its store
    assert len(fleet.opened) == 2


def test_after_an_outage_a_lane_opens_anew(fleet: Fleet) -> None:
    """An old client of Kafka's may never answer again."""
    stuck = [lambda: raising(Unreachable("Kafka did not describe topic signups")), lambda: None]

    def prepare(lane: FakeLane) -> None:
        lane.on_take_over = stuck.pop(0)

    fleet.prepare = prepare
    fleet.threads.own(frozenset({0}))
    eventually(lambda: phases(fleet) == {0: "live"}, "the lane lives")
    first, second = fleet.opened
    assert (first.closed, second.closed) == (2, 0)
    assert fleet.threads.failure() is None


def raising(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize("error", [InDoubt("a save was refused"), Fenced("taken")])
def test_what_time_heals_is_taken_over_again(fleet: Fleet, error: Exception) -> None:
    def prepare(lane: FakeLane) -> None:
        lane.on_step = failing_once(error)

    fleet.prepare = prepare
    fleet.threads.own(frozenset({0}))
    eventually(lambda: fleet.opened and fleet.opened[0].takeovers == 2, "a second takeover")
    assert fleet.threads.failure() is None


def test_a_fenced_lane_waits_until_the_group_says_that_it_is_ours(fleet: Fleet) -> None:
    def prepare(lane: FakeLane) -> None:
        lane.on_step = failing_once(Fenced("taken"))

    fleet.prepare, fleet.ours = prepare, False
    fleet.threads.own(frozenset({0}))

    def reason() -> str | None:
        return next((status.reason for status in fleet.threads.statuses()), None)

    eventually(lambda: reason() == "another worker has taken this lane", "the reason told")
    assert fleet.opened[0].takeovers == 1
    fleet.ours = True
    eventually(lambda: fleet.opened[0].takeovers == 2, "the second takeover")


@pytest.mark.parametrize("error", [BadTopics("topics do not fit"), ValueError("a bug")])
def test_what_nobody_heals_ends_the_worker(fleet: Fleet, error: Exception) -> None:
    def prepare(lane: FakeLane) -> None:
        lane.on_step = failing_once(error)

    fleet.prepare = prepare
    fleet.threads.own(frozenset({0}))
    eventually(lambda: fleet.threads.failure() is error, "the failure")
    assert phases(fleet) == {0: "stopped"}


@pytest.mark.parametrize("error", [ValueError("a bug"), SystemExit(3)])
def test_a_lane_that_can_neither_log_nor_tell_its_board_still_ends_the_worker(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def unwritable(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(threading, "excepthook", lambda _: None)

    def prepare(lane: FakeLane) -> None:
        lane.on_step = fail

    def fail() -> None:
        monkeypatch.setattr(lane_threads.log, "error", unwritable, raising=False)
        monkeypatch.setattr(board.log, "info", unwritable, raising=False)
        raise error

    fleet.prepare = prepare
    fleet.threads.own(frozenset({0}))
    eventually(lambda: fleet.threads.failure() is error, "the failure")
    eventually(lambda: fleet.threads.ended() == ["lane-0"], "the thread's end")
    assert fleet.opened[0].closed == 2


def test_lanes_that_hang_close_side_by_side_within_one_deadline(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane_threads, "CLOSE_S", 0.2)
    go_on = threading.Event()

    def prepare(lane: FakeLane) -> None:
        lane.on_step = lambda: go_on.wait(30)

    fleet.prepare = prepare
    fleet.threads.own(frozenset(range(8)))
    eventually(lambda: len(fleet.opened) == 8, "every lane open")
    began = time.monotonic()
    fleet.threads.disown(range(8))
    assert time.monotonic() - began < 4 * 0.2
    go_on.set()


def test_a_lane_too_slow_to_close_neither_ends_the_worker_nor_shows_again(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane_threads, "CLOSE_S", 0.01)
    inside, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        inside.set()
        go_on.wait(30)
        raise ValueError("too late to matter")

    def prepare(lane: FakeLane) -> None:
        if not fleet.opened:
            lane.on_step = slow

    fleet.prepare = prepare
    fleet.threads.own(frozenset({0}))
    assert inside.wait(10)
    fleet.threads.disown([0])
    assert phases(fleet) == {}
    fleet.threads.own(frozenset({0}))
    eventually(lambda: phases(fleet) == {0: "live"}, "the second opening live")
    go_on.set()
    eventually(lambda: fleet.opened[0].closed == 2, "the first opening closed")
    assert fleet.threads.failure() is None
    assert phases(fleet) == {0: "live"}
