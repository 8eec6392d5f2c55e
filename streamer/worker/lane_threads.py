"""Lanes as threads: a lane opens, takes itself over when it must, shows why it waits, and closes."""

import threading
import time
import uuid
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass

import structlog

from schemas.errors import SegueError, Unreachable
from streamer.interfaces.lane_errors import Fenced, InDoubt, LaneClosing, NotReady
from streamer.interfaces.lane_interfaces import Log, Store
from streamer.lane.lane import Lane
from streamer.status.worker_status import LaneStatus
from streamer.worker.lane_boards import LaneBoard, StatusBoard

POLL_S = 0.2
# The pause between two takeovers; it doubles up to the maximum until a takeover succeeds.
WAIT_S = 0.5
MOST_WAIT_S = 8.0
CLOSE_S = 20.0

log = structlog.get_logger("segue.lane")


@dataclass(frozen=True, slots=True)
class OpenLane:
    """A lane and its connections, which are closed with the lane."""

    lane: Lane
    log: Log
    store: Store


OpenLaneFor = Callable[[LaneBoard, Callable[[], bool]], OpenLane]


class LaneThreads:
    """The lanes of this worker, one thread each."""

    def __init__(self, open_lane: OpenLaneFor, still_ours: Callable[[int], bool], board: StatusBoard) -> None:
        """
        Args:
            open_lane: opens a lane. It gets the lane's board, and a function that returns whether the lane
                must close.
            still_ours: asks the group whether it still assigns a lane to this worker.
            board: the board of all lanes.
        """
        self._open_lane = open_lane
        self._still_ours = still_ours
        self._board = board
        self._threads: dict[int, _LaneThread] = {}
        self._lock = threading.Lock()
        self._failure: BaseException | None = None

    def own(self, partitions: frozenset[int]) -> None:
        """Open the lanes that are not open yet; each lane takes itself over in its own thread."""
        with self._lock:
            for partition in sorted(partitions - self._threads.keys()):
                lane_board = self._board.opened(partition)
                thread = _LaneThread(lane_board, self._open_lane, self._still_ours, self._fail)
                self._threads[partition] = thread
                thread.start()

    def disown(self, partitions: Iterable[int]) -> None:
        """Close these lanes at the same time; return when all are closed, or after ``CLOSE_S``.

        A lane that hangs is left behind. The next owner's fence refuses its later writes.
        """
        with self._lock:
            threads = [self._threads.pop(p) for p in partitions if p in self._threads]
        for thread in threads:
            thread.ask_to_close()
        deadline_s = time.monotonic() + CLOSE_S
        for thread in threads:
            thread.join(max(0.0, deadline_s - time.monotonic()))
            if thread.is_alive():
                log.warning("lane did not close in time", lane=thread.partition, seconds=CLOSE_S)
            self._board.closed(thread.board)

    def statuses(self) -> list[LaneStatus]:
        """The status of each lane."""
        return self._board.statuses()

    def failure(self) -> BaseException | None:
        """The error of a lane that ends this worker; None if there is none."""
        return self._failure

    def ended(self) -> list[str]:
        """The names of the lanes' threads that have ended although they should run."""
        with self._lock:
            threads = list(self._threads.values())
        return [thread.name for thread in threads if not thread.is_alive()]

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error


class _LaneThread(threading.Thread):
    def __init__(
        self,
        board: LaneBoard,
        open_lane: OpenLaneFor,
        still_ours: Callable[[int], bool],
        fail: Callable[[BaseException], None],
    ) -> None:
        super().__init__(name=f"lane-{board.partition}", daemon=True)
        self.board = board
        self.partition = board.partition
        self._open_lane = open_lane
        self._still_ours = still_ours
        self._fail = fail
        self._closing = threading.Event()
        self._wait_s = WAIT_S

    def ask_to_close(self) -> None:
        self._closing.set()

    def run(self) -> None:
        try:
            while not self._closing.is_set():
                opened = self._open_lane(self.board, self._closing.is_set)
                with closing(opened.store), closing(opened.log):
                    while not self._closing.is_set() and self._live(opened.lane):
                        pass
        except BaseException as error:  # noqa: BLE001 - any error ends the worker
            self._stopped(error)

    def _live(self, lane: Lane) -> bool:
        """Take the lane over and run it until it closes or must take itself over again.

        Returns:
            Whether its connections still serve. After an outage a client of librdkafka may stay without an
            answer for ever, although a new one gets it at once.
        """
        try:
            lane.take_over(uuid.uuid4().hex)
            self._wait_s = WAIT_S
            while not self._closing.is_set():
                lane.step(POLL_S)
        except LaneClosing:
            pass
        except Fenced as fenced:
            self._wait(str(fenced))
            while not self._closing.is_set() and not self._still_ours(self.partition):
                self._wait("another worker has taken this lane")
        except (InDoubt, NotReady) as reason:
            self._wait(str(reason))
        except Unreachable as reason:
            self._wait(str(reason))
            return False
        return True

    def _wait(self, reason: str) -> None:
        self.board.phase("waiting", reason)
        self._closing.wait(self._wait_s)
        self._wait_s = min(2 * self._wait_s, MOST_WAIT_S)

    def _stopped(self, error: BaseException) -> None:
        """Report the error: it ends the worker, unless the lane had to close anyway."""
        # This comes first, because the next lines could fail too. If a lane ends without a report, its events
        # stay unread.
        if not self._closing.is_set():
            self._fail(error)
        if isinstance(error, SegueError):
            self.board.phase("stopped", str(error))
        else:
            self.board.phase("stopped", f"unexpected: {error!r}")
            log.error("lane failed", lane=self.partition, exc_info=error)
