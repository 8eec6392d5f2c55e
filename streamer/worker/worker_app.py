"""A worker: its group membership, its lanes and its web server, started, watched and stopped in order.

The Faust app runs inside our own event loop. Faust's own runner (``faust worker``) would control the command
line, the logging and the signals, and would exit the process. Here, a signal first closes the lanes while
heartbeats continue, and only then the worker leaves the group.
"""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator
from typing import Protocol

import structlog
import uvloop

from schemas.errors import SegueError
from streamer.segment.active_model import ActiveModel
from streamer.status.drift_status import DriftStatus
from streamer.status.status_server import WebServer, pages
from streamer.status.worker_metrics import Metrics
from streamer.status.worker_status import ReleaseStatus, WorkerStatus
from streamer.worker.faust_app import faust_app
from streamer.worker.faust_group import GroupTransport
from streamer.worker.garbage_collection import collect_less
from streamer.worker.membership import Lanes, Membership
from streamer.worker.process_part import ProcessPart
from streamer.worker.worker_config import WorkerConfig

log = structlog.get_logger(__name__)

_WATCH_S = 0.1
_STOP_S = 8.0
# The exit code after an unexpected error; the commands use the same code.
UNEXPECTED = 70


class Releases(Protocol):
    """The releases, for the worker's status."""

    def current(self) -> ActiveModel | None:
        """The release in use; None if there is none yet."""

    def problem(self) -> str | None:
        """Why there is no release, or why the newest release is not used; None if all is well."""

    def ended(self) -> list[str]:
        """The name of the thread that follows the releases, if it has ended although it should run."""


class Worker:
    """One worker; create it with :func:`build_worker` and run it with :func:`run_worker`.

    ``app`` is the Faust app. Timers may be added to it before the worker runs.

    Args:
        config: the worker's settings.
        lanes: opens and closes the lanes.
        releases: the releases, for the status.
        metrics: the worker's metrics.
        drift: gives the last comparison with the training users, for the status.
        part: shows the pages instead of a web server, if the worker is one process of several.
    """

    def __init__(
        self,
        config: WorkerConfig,
        lanes: Lanes,
        releases: Releases,
        metrics: Metrics,
        drift: Callable[[], DriftStatus | None] = lambda: None,
        part: ProcessPart | None = None,
    ) -> None:
        self._config = config
        self._lanes = lanes
        self._releases = releases
        self._metrics = metrics
        self._drift = drift
        self._part = part
        self._membership = Membership(config.group, config.topics, config.partitions, lanes)
        self.app = faust_app(config, self._membership)
        metrics.watch(self)

    def still_ours(self, partition: int) -> bool:
        """Whether the group confirms now that this lane is ours; the lanes' threads call this.

        The result is also False if no answer comes in time. Call again until the lane is ours or closed.
        """
        transport = self.app.transport
        assert isinstance(transport, GroupTransport)
        return transport.still_ours(partition)

    def status(self) -> WorkerStatus:
        """The present status of the worker; any thread may call this."""
        active = self._releases.current()
        return WorkerStatus(
            group=self._membership.status(),
            release=ReleaseStatus(
                version=None if active is None else active.release.version,
                activation=None if active is None else active.activation,
                problem=self._releases.problem(),
            ),
            lanes=tuple(self._lanes.statuses()),
            ended=tuple(self.ended()),
            drift=self._drift(),
        )

    async def run(self) -> int:
        """Work until a signal or an error ends the worker; return the exit code."""
        stop = asyncio.Event()
        # systemd signals the parent and us, and then the parent signals us: this is still the first signal.
        again = signal.SIG_DFL if self._part is None else signal.SIG_IGN
        with _signals(stop, again) as came, self._web():
            log.info("worker.starts", group=self._config.group, kafka=self._config.brokers)
            starting = asyncio.create_task(self.app.start())
            try:
                error = await self._end(stop, starting)
            finally:
                await self._stop(starting)
        if error is None:
            log.info("worker.stopped", group=self._config.group)
            return 128 + signal.SIGINT if came == [signal.SIGINT] else 0
        return log_failure(error)

    async def _end(self, stop: asyncio.Event, starting: asyncio.Task[None]) -> BaseException | None:
        """Wait until the worker must end; return the error, or None for a signal."""
        while not stop.is_set():
            if (error := self._membership.failure()) is not None:
                return error
            if starting.done() and (failed := starting.exception()) is not None:
                return failed
            if ended := self.ended():
                return RuntimeError(f"the thread {ended[0]} ended by itself")
            if self.app.crashed:
                return self.app.crash_reason or RuntimeError("the Faust app ended by itself")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _WATCH_S)
        return None

    def ended(self) -> list[str]:
        """The names of the threads that have ended although they should run; any thread may call this."""
        transport = self.app.transport
        assert isinstance(transport, GroupTransport)
        return [*self._lanes.ended(), *self._releases.ended(), *transport.ended()]

    async def _stop(self, starting: asyncio.Task[None]) -> None:
        """Close the lanes while this worker is still a member of the group, then leave the group."""
        await asyncio.to_thread(self._membership.close)
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        try:
            await asyncio.wait_for(self.app.stop(), _STOP_S)
        except TimeoutError:
            log.warning("group.not_left", reason=f"leaving the group took more than {_STOP_S:.0f} s")

    @contextlib.contextmanager
    def _web(self) -> Iterator[None]:
        by_path = pages(self, self._metrics, self._config.no_progress_s)
        if self._part is not None:
            with self._part.show(by_path):
                yield
            return
        if self._config.web_port is None:
            yield
            return
        with WebServer(self._config.web_host, self._config.web_port, by_path) as server:
            log.info("web.listens", host=self._config.web_host, port=server.port)
            yield


def build_worker(
    config: WorkerConfig,
    lanes: Lanes,
    releases: Releases,
    metrics: Metrics | None = None,
    drift: Callable[[], DriftStatus | None] = lambda: None,
    part: ProcessPart | None = None,
) -> Worker:
    """A new worker that has not connected to anything yet.

    Args:
        config: the worker's settings.
        lanes: opens and closes the lanes.
        releases: the releases; the caller starts and closes them.
        metrics: the metrics in which the lanes count; None creates new ones.
        drift: gives the last comparison with the training users, for the status.
        part: shows the pages instead of a web server, if the worker is one process of several.

    Raises:
        schemas.errors.BadSetting: a worker does not know this way to log in to Kafka.
    """
    return Worker(config, lanes, releases, metrics or Metrics(), drift, part)


def run_worker(worker: Worker) -> int:
    """Run a worker until SIGTERM, SIGINT or an error ends it; call this in the main thread.

    A second signal ends the process at once, but not one process of several.

    Returns:
        The exit code: 0 after SIGTERM, 130 after SIGINT, else the code of the error.
    """
    collect_less()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(worker.run())


@contextlib.contextmanager
def _signals(stop: asyncio.Event, again: signal.Handlers) -> Iterator[list[signal.Signals]]:
    """Set ``stop`` at the first signal and note it in the list; ``again`` handles a second signal."""
    came: list[signal.Signals] = []
    loop = asyncio.get_running_loop()
    former = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def on_signal(number: signal.Signals) -> None:
        log.info("worker.stops", signal=number.name)
        came.append(number)
        stop.set()
        for one in former:
            loop.remove_signal_handler(one)
            signal.signal(one, again)

    for number in former:
        loop.add_signal_handler(number, on_signal, number)
    try:
        yield came
    finally:
        for number, handler in former.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)


def log_failure(error: BaseException) -> int:
    """Log the error that ends the worker; return the exit code."""
    if isinstance(error, SegueError):
        log.error("worker.failed", error=str(error))
        return error.exit_code
    log.error(
        "worker.failed",
        error=f"unexpected {type(error).__name__}: {error}; run with the log at debug for the details",
    )
    log.debug("worker.failed", exc_info=error)
    return UNEXPECTED
