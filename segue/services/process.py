"""One server process: start, stop, kill, pause, resume."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from segue.services.guard import guard
from segue.services.trouble import ServiceTrouble

_TAIL_BYTES = 20_000


class ServerProcess:
    """A server in a process group of its own, which ctrl-C does not reach before us.

    Args:
        name: for messages: `Apache Kafka`.
        command: program and arguments.
        directory: where it runs.
        log: the file that takes what it prints; it is appended to.
    """

    def __init__(self, name: str, command: Sequence[str], *, directory: Path, log: Path) -> None:
        self.name = name
        self.log = log
        self._log_start = log.stat().st_size if log.exists() else 0
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        guard.add_group(self.pid)

    @property
    def pid(self) -> int:
        """The process id, which is also the group's."""
        return self._process.pid

    def running(self) -> bool:
        """Whether it has not ended. A paused server runs."""
        return self._process.poll() is None

    def stop(self, *, deadline_s: float = 30) -> None:
        """Asks it to end, and kills it when it has not ended by the deadline."""
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)  # a paused process does not see SIGTERM
        try:
            self._process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            self.kill()
        guard.drop_group(self.pid)

    def kill(self) -> None:
        """SIGKILL: no goodbye, nothing flushed."""
        self._signal(signal.SIGKILL)
        self._process.wait()
        guard.drop_group(self.pid)

    def pause(self) -> None:
        """SIGSTOP: its connections stay open, and nobody answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT: it goes on as if nothing had been."""
        self._signal(signal.SIGCONT)

    def printed(self) -> str:
        """What it printed since its start, the last part of it."""
        with self.log.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(self._log_start, end - _TAIL_BYTES))
            return file.read().decode(errors="replace")

    def trouble(self, what: str) -> ServiceTrouble:
        """An error that says what went wrong and shows the last lines printed."""
        lines = [line for line in self.printed().splitlines() if line.strip()][-15:]
        tail = "".join(f"\n    {line}" for line in lines) or " nothing."
        return ServiceTrouble(f"{self.name} {what}. It printed:{tail}")

    def _signal(self, number: signal.Signals) -> None:
        # `poll` reaps: after it says "running", the id is still ours, and nobody else's.
        if self.running():
            os.killpg(self.pid, number)
