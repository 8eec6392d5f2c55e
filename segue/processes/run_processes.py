"""The parent of several worker processes: it starts them, answers for them, and ends them together."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

import structlog

from schemas.errors import BadSetting
from segue.config.settings import Settings
from segue.prepare_worker import ends_in_order, prepare_worker
from segue.processes.child_process import ChildProcess, PageQuestions
from segue.processes.merged_pages import merged_pages
from streamer.status.status_server import WebServer

_LOOK_S = 0.1
_STOPPED = (0, 128 + signal.SIGINT, 128 + signal.SIGTERM, -signal.SIGINT, -signal.SIGTERM)
"""The exit codes of a process that a signal ended, at its work or before."""

log = structlog.get_logger(__name__)


def run_processes(settings: Settings) -> int:
    """Run `processes` workers until a signal comes or one of them ends, and return the exit code.

    Then all end. No process is started again: systemd, Kubernetes or whoever restarts workers sees each
    failure, and waits longer from one failure to the next.

    Returns:
        0 after SIGTERM, 130 after SIGINT, else the code of the process that ended first: 128 and the signal's
        number if it was killed.

    Raises:
        SegueError: waiting does not help, or there are more processes than partitions.
    """
    with ends_in_order():
        partitions = prepare_worker(settings)
    if settings.processes > partitions:
        raise BadSetting(
            "processes",
            settings.processes,
            f"give at most {partitions}: the topics have {partitions} partitions, and a process without one"
            " does nothing",
        )
    return _Parent(settings, partitions).run()


class _Parent:
    def __init__(self, settings: Settings, partitions: int) -> None:
        self._settings = settings
        self._partitions = partitions
        self._children: list[ChildProcess] = []
        self._came: signal.Signals | None = None

    def run(self) -> int:
        with self._signals(), self._web():
            log.info("processes.start", processes=self._settings.processes)
            for number in range(1, self._settings.processes + 1):
                child = ChildProcess(number, self._settings, self._partitions)
                self._children.append(child)
                log.info("process.started", process=number, pid=child.pid)
            first = self._first_end()
            self._say_why(first)
            for child in self._children:
                child.signal(signal.SIGTERM)
            codes = [child.wait() for child in self._children]
        if first is not None:
            return _exit_code(codes[first.number - 1])
        if failed := [code for code in codes if code not in _STOPPED]:
            return _exit_code(failed[0])
        log.info("processes.stopped")
        return 128 + signal.SIGINT if self._came == signal.SIGINT else 0

    def _first_end(self) -> ChildProcess | None:
        """Wait until a process ends; return None if a signal came before."""
        while self._came is None:
            ended = next((child for child in self._children if child.code() is not None), None)
            if ended is not None:
                return ended
            time.sleep(_LOOK_S)
        return None

    def _say_why(self, first: ChildProcess | None) -> None:
        if first is None:
            assert self._came is not None
            log.info("worker.stops", signal=self._came.name)
            return
        code = first.code() or 0
        if code < 0:
            log.error("process.killed", process=first.number, reason=_killed_by(signal.Signals(-code)))
        else:
            log.log(logging.ERROR if code else logging.INFO, "process.ended", process=first.number, code=code)

    @contextmanager
    def _web(self) -> Iterator[None]:
        settings = self._settings
        with ExitStack() as stack:
            if settings.web_port is not None:
                by_path = merged_pages(PageQuestions(self._children).ask)
                server = stack.enter_context(WebServer(settings.web_host, settings.web_port, by_path))
                log.info("web.listens", host=settings.web_host, port=server.port)
            yield

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Note the first signal; the second one ends all processes at once."""
        former = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

        def on_signal(number: int, _frame: FrameType | None) -> None:
            if self._came is None:
                self._came = signal.Signals(number)
                return
            for child in self._children:
                child.signal(signal.SIGKILL)
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

        for number in former:
            signal.signal(number, on_signal)
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)


def _killed_by(number: signal.Signals) -> str:
    if number != signal.SIGKILL:
        return f"{number.name} ended it, and so all processes end"
    return (
        "SIGKILL ended it, and so all processes end; if nobody sent it, memory ran out: allow more, or fewer"
        " processes"
    )


def _exit_code(code: int) -> int:
    return code if code >= 0 else 128 - code
