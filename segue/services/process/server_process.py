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
# Waits for a word, then becomes the server. If we die before we have told the guard, the word never comes.
_AT_OUR_WORD = 'read -r go && exec "$@" </dev/null'


class ServerProcess:
    """A server in a process group of its own, which ctrl-C does not reach before us.

    The guard knows of it before it begins.

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
        self._ending = threading.Lock()
        self._forgotten = False
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", _AT_OUR_WORD, name, *command],
                cwd=directory,
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
        """Whether it has not ended. A paused server runs."""
        with self._ending:
            return not self._has_ended()

    def stop(self, *, deadline_s: float = 30) -> None:
        """Asks it to end, and kills it when it has not ended by the deadline."""
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)  # a paused process does not see SIGTERM
        if not wait_until(lambda: not self.running(), deadline_s=deadline_s, every_s=0.02):
            self.kill()

    def kill(self) -> None:
        """SIGKILL: no goodbye, nothing flushed."""
        self._signal(signal.SIGKILL)
        self._process.wait()
        self.running()

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
        with self._ending:
            if not self._has_ended():
                os.killpg(self.pid, number)

    def _has_ended(self) -> bool:
        """Whether it has; then what is left of its group ends too, and the guard forgets it.

        At once: its id is free from now on, and the process that is given it is none of ours.
        """
        if self._process.poll() is None:
            return False
        if not self._forgotten:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            guard.drop_group(self.pid)
            self._forgotten = True
        return True
