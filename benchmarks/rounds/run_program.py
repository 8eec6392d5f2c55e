"""One program of :mod:`benchmarks.ways`, in its own process."""

from __future__ import annotations

import os
import select
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import msgspec
from msgspec import Struct

from benchmarks.ways.way_job import DONE, READY
from schemas.errors import SegueError

ROOT = Path(__file__).parents[2]
_READY_S, _DONE_S, _END_S = 120.0, 900.0, 20.0


class WayFailed(SegueError):
    """A way ended before it was done."""


class RunningProgram:
    """A program that has the job.

    Args:
        python: the interpreter.
        module: the program.
        job: the program's job.
    """

    def __init__(self, python: str, module: str, job: Struct) -> None:
        self._module = module
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop
        self._process = subprocess.Popen(
            [python, "-m", module, msgspec.json.encode(job).decode()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    @property
    def pids(self) -> Sequence[int]:
        """The process ids."""
        return [self._process.pid]

    def wait_ready(self) -> None:
        """Wait until the program waits for events."""
        self._wait_for(READY, _READY_S)

    def wait_done(self) -> None:
        """Wait until the program has applied the events of its job."""
        self._wait_for(DONE, _DONE_S)

    def close_input(self) -> None:
        """Close the program's standard input."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def stop(self) -> None:
        """End the program."""
        assert self._process.stdout is not None
        self.close_input()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._errors.close()

    def _wait_for(self, word: str, seconds: float) -> None:
        output = self._process.stdout
        assert output is not None
        end_s = time.monotonic() + seconds
        while (left_s := end_s - time.monotonic()) > 0:
            if select.select([output], [], [], left_s)[0]:
                line = output.readline()
                if line.decode().strip() == word:
                    return
                if not line:
                    raise WayFailed(f"{self._module} ended: {self._last_error()}")
        raise WayFailed(f"{self._module} was not {word} within {seconds:.0f} s: {self._last_error()}")

    def _last_error(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it printed nothing"
