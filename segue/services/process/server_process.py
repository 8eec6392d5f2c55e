"""One server process: start, stop, kill, pause, resume."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from segue.services.process.guard import guard
from segue.services.process.service_trouble import ServiceTrouble
from segue.services.process.wait_until import wait_until

_TAIL_BYTES = 20_000
# The shell waits for a line, then becomes the server. If we die before the guard knows of it, no line comes.
_AT_OUR_WORD = 'read -r go && exec "$@" </dev/null'


def server_environment() -> dict[str, str]:
    """Return this environment with a locale that suits the servers.

    Their messages are English, and Java reads every path: under LC_ALL=C it refuses a path with ä.
    """
    return {**os.environ, "LC_ALL": "C.UTF-8"}


class ServerProcess:
    """A server in a process group of its own, so that ctrl-C reaches only us.

    The guard knows of the process before the server starts.

    Args:
        name: the name for messages: `Apache Kafka`.
        command: program and arguments.
        directory: the working directory.
        log: the file to which its output is appended.
    """

    def __init__(self, name: str, command: Sequence[str], *, directory: Path, log: Path) -> None:
        self.name = name
        self.log = log
        self._log_start = log.stat().st_size if log.exists() else 0
        self._ending = threading.Lock()
        self._forgotten = False
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", _AT_OUR_WORD, name, *command],
                cwd=directory,
                env=server_environment(),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            guard.add_group(self.pid)
            assert self._process.stdin is not None
            with suppress(BrokenPipeError), self._process.stdin as word:
                word.write(b"go\n")
        except BaseException:
            self.kill()
            raise

    @property
    def pid(self) -> int:
        """The process id, which is also the group's."""
        return self._process.pid

    def running(self) -> bool:
        """Whether the server still runs; a paused server runs, too."""
        with self._ending:
            return not self._has_ended()

    def stop(self, *, deadline_s: float = 30) -> None:
        """Send SIGTERM, and SIGKILL if the server has not ended by the deadline."""
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)  # a paused process does not see SIGTERM
        if not wait_until(lambda: not self.running(), deadline_s=deadline_s, every_s=0.02):
            self.kill()

    def kill(self) -> None:
        """Send SIGKILL: the server flushes nothing."""
        self._signal(signal.SIGKILL)
        self._process.wait()
        self.running()

    def pause(self) -> None:
        """Send SIGSTOP: connections stay open, but the server does not answer."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Send SIGCONT: the server continues."""
        self._signal(signal.SIGCONT)

    def printed(self) -> str:
        """Return the last part of what the server has printed since its start."""
        with self.log.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(self._log_start, end - _TAIL_BYTES))
            return file.read().decode(errors="replace")

    def trouble(self, what: str) -> ServiceTrouble:
        """Return an error with what went wrong and the last printed lines."""
        lines = [line for line in self.printed().splitlines() if line.strip()][-15:]
        tail = "".join(f"\n    {line}" for line in lines) or " nothing."
        return ServiceTrouble(f"{self.name} {what}. It printed:{tail}")

    def _signal(self, number: signal.Signals) -> None:
        with self._ending:
            if not self._has_ended():
                os.killpg(self.pid, number)

    def _has_ended(self) -> bool:
        """Whether the server has ended; then kill the rest of its group, and let the guard forget the group.

        This happens at once, because the system may now give the id to a process that is not ours.
        """
        if self._process.poll() is None:
            return False
        if not self._forgotten:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            guard.drop_group(self.pid)
            self._forgotten = True
        return True
