"""Run `segue` in a separate process, with its output in files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.servers.services import HANG_S, eventually


def clean_environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment without the developer's SEGUE_ settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SEGUE_")}
    return {**kept, "NO_COLOR": "1", "COLUMNS": "200", **(changes or {})}


class SegueProcess:
    """A `segue` process that runs in a context; at the end of the context its process group is killed."""

    def __init__(
        self, directory: Path, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> None:
        self._directory = directory
        self._arguments = arguments
        self._environment = clean_environment(environment)
        self._out, self._err = directory / "out.txt", directory / "err.txt"

    def __enter__(self) -> Self:
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "segue", *self._arguments],
                cwd=self._directory,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    @property
    def out(self) -> str:
        return self._out.read_text(encoding="utf-8")

    @property
    def err(self) -> str:
        return self._err.read_text(encoding="utf-8")

    def says(self, text: str) -> None:
        """Wait until the process has printed this text on either output."""

        def said() -> bool:
            told = self.out + self.err
            if text not in told and self.process.poll() is not None:
                raise RuntimeError(f"ended with {self.process.returncode} before it said {text!r}: {told}")
            assert text in told, told[-2_000:]
            return True

        eventually(said, f"{self._arguments} says {text!r}")

    def ends(self) -> int:
        """Wait for the end of the process; return the exit code."""
        return self.process.wait(HANG_S)

    def terminate(self, number: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(number)
