"""The parent's side of a process: start, questions for pages, end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing import Pipe

from segue.config.settings import Settings
from segue.processes import child_worker
from streamer.status.status_server import Answer

_ANSWER_S = 2.0
"""Within this time a process answers, or it counts as hanging; a probe waits for some seconds."""

NOT_AT_WORK = "starts or stops"
ENDED = "has ended"
SILENT = f"has not answered for {_ANSWER_S:.0f} s"


class ChildProcess:
    """A process that is an ordinary worker. It is in a session of its own, so that ctrl-C reaches only us.

    If this process dies, the pipe between them ends, and with it the child.

    Args:
        number: the child's number, from 1.
        settings: the settings of its worker.
        partitions: how many partitions the lanes' topics have.
    """

    def __init__(self, number: int, settings: Settings, partitions: int) -> None:
        self.number = number
        self._pipe, theirs = Pipe()
        with theirs:
            self._process = subprocess.Popen(
                # -P and our own path: the working directory may hold modules with the names of ours.
                [sys.executable, "-P", "-m", child_worker.__name__, str(number)],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                stdin=theirs.fileno(),
                start_new_session=True,
            )
        self._owes = False
        with suppress(BrokenPipeError):  # it has ended already, and `code` tells
            self._pipe.send((settings, partitions))

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def code(self) -> int | None:
        """The exit code, below zero for the number of a signal; None while the process runs."""
        return self._process.poll()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, unless the process has ended."""
        self._process.send_signal(number)

    def wait(self) -> int:
        """Wait for the end, and return the exit code as of :meth:`code`."""
        return self._process.wait()

    def ask(self, path: str) -> bool:
        """Ask for a page; return False if the answer to an earlier question is still missing."""
        with suppress(EOFError, OSError):  # the process has ended, and `answer` says so
            if self._owes and self._pipe.poll():
                self._pipe.recv()
                self._owes = False
            if self._owes:
                return False
            self._pipe.send(path)
            self._owes = True
        return True

    def answer(self, end_s: float) -> Answer | str:
        """Return the page that was asked for; else why there is none.

        Args:
            end_s: how long to wait, as seconds of the monotonic clock.
        """
        try:
            if not self._pipe.poll(max(0.0, end_s - time.monotonic())):
                return SILENT
            answer: Answer | None = self._pipe.recv()
        except (EOFError, OSError):
            return ENDED
        self._owes = False
        return NOT_AT_WORK if answer is None else answer


class PageQuestions:
    """Asks all processes for a page at once; threads may share it.

    Args:
        children: the processes, which may become more.
    """

    def __init__(self, children: Sequence[ChildProcess]) -> None:
        self._children = children
        self._asking = threading.Lock()

    def ask(self, path: str) -> Mapping[int, Answer | str]:
        """Return each process's page by its number; a text says why a process gives no page."""
        with self._asking:
            asked = [(child, child.ask(path)) for child in list(self._children)]
            end_s = time.monotonic() + _ANSWER_S
            return {child.number: child.answer(end_s) if new else SILENT for child, new in asked}
