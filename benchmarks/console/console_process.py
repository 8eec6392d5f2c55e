"""The console, started by `segue console` as anybody starts it."""

from __future__ import annotations

import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.rounds.run_program import WayFailed
from benchmarks.rounds.run_worker import segue_environment
from benchmarks.ways.way_job import Job

_READY_S, _END_S = 120.0, 20.0


class ConsoleProcess:
    """A console over the topics and the users of a job.

    Args:
        job: where they are.
    """

    def __init__(self, job: Job) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "segue", "console", "--port", "0"],
            env=segue_environment(job),
            cwd=Path(job.folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def address(self) -> str:
        """Wait until it listens; return its address."""
        output, end_s = self._process.stderr, time.monotonic() + _READY_S
        assert output is not None
        while (left_s := end_s - time.monotonic()) > 0:
            if select.select([output], [], [], left_s)[0]:
                line = output.readline().decode()
                if found := re.search(r"http://[^;\s]+", line):
                    return found.group()
                if not line:
                    break
        raise WayFailed("segue console did not say its address")

    def stop(self) -> None:
        """End it."""
        assert self._process.stderr is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stderr.close()
