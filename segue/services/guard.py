"""Nothing that we start outlives us: our side of `watchman.py`.

Process groups and directories given to the guard are killed and removed when this process ends without
having done so: by an exception, a signal, or SIGKILL. No signal handler is touched for it.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from segue.services import watchman


class Guard:
    """Tells the watchman what is ours. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: set[tuple[str, int | str]] = set()
        self._watchman: subprocess.Popen[bytes] | None = None
        self._pid = os.getpid()

    def add_group(self, pid: int) -> None:
        """The process group of this id is ours."""
        self._tell("+", "group", pid)

    def drop_group(self, pid: int) -> None:
        """The process group of this id has ended."""
        self._tell("-", "group", pid)

    def add_directory(self, directory: Path) -> None:
        """This directory is ours, with all that is in it."""
        self._tell("+", "directory", str(directory))

    def drop_directory(self, directory: Path) -> None:
        """This directory is gone, or stays."""
        self._tell("-", "directory", str(directory))

    def _tell(self, sign: str, what: str, name: int | str) -> None:
        with self._lock:
            (self._held.add if sign == "+" else self._held.discard)((what, name))
            if os.getpid() != self._pid:  # forked: what is held is our parent's, and its watchman's
                self._pid, self._watchman = os.getpid(), None
                self._held = {(what, name)} if sign == "+" else set()
            try:
                self._write([(sign, what, name)])
            except BrokenPipeError:  # somebody killed the watchman
                self._watchman = None
                self._write([("+", *held) for held in self._held])

    def _write(self, orders: list[tuple[str, str, int | str]]) -> None:
        if self._watchman is None:
            self._watchman = _start_watchman()
        assert self._watchman.stdin is not None
        self._watchman.stdin.write(b"".join(json.dumps(order).encode() + b"\n" for order in orders))
        self._watchman.stdin.flush()


def _start_watchman() -> subprocess.Popen[bytes]:
    started = subprocess.Popen(
        # Isolated and without site packages: it starts in a few milliseconds and needs the library alone.
        [sys.executable, "-I", "-S", watchman.__file__, str(os.getpid())],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        # In a session of its own, where ctrl-C does not reach it.
        start_new_session=True,
    )
    atexit.register(_finish, started, os.getpid())
    return started


def _finish(started: subprocess.Popen[bytes], owner: int) -> None:
    """Lets it act on whatever is left, and waits for that."""
    if os.getpid() == owner:
        started.communicate()


guard = Guard()
"""The process's one guard."""
