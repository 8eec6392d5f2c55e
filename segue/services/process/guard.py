"""End what we started when this process ends; the watchman (`watchman.py`) does the work.

The guard knows process groups and directories. The watchman kills and removes those that are left when this
process ends, also after an exception, a signal or SIGKILL. The guard needs no signal handler.

The guard learns of a directory before its creation (`make_directory`), and of a server before its start
(`server_process.py`). So this process leaves nothing behind, at whatever moment it dies.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
import threading
import uuid
from contextlib import suppress
from pathlib import Path

from segue import interruption
from segue.services.process import watchman


class Guard:
    """Tells the watchman what this process owns. Threads may share it;
    a forked child owns nothing at first.
    """

    def __init__(self) -> None:
        self._begin()
        os.register_at_fork(after_in_child=self._begin_in_child)
        atexit.register(self.finish)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._held: set[tuple[str, int | str]] = set()
        self._watchman: subprocess.Popen[bytes] | None = None
        self._pipe: int | None = None

    def _begin_in_child(self) -> None:
        """Forget what the parent owns, and the parent's watchman, which must see only the parent's end."""
        if self._watchman is not None:
            self._watchman.returncode = 0  # not our child, so do not wait for it
        self._hang_up()
        self._begin()

    def add_group(self, pid: int) -> None:
        """Kill this process group at the end."""
        self._tell("+", "group", pid)

    def drop_group(self, pid: int) -> None:
        """Forget a process group that has ended; call this at once, because the system may reuse the id."""
        self._tell("-", "group", pid)

    def make_directory(self) -> Path:
        """Make a temporary directory that is removed at the end."""
        directory = Path(tempfile.gettempdir()) / f"segue-{uuid.uuid4().hex}"
        self.add_directory(directory)
        directory.mkdir(mode=0o700)
        return directory

    def add_directory(self, directory: Path) -> None:
        """Remove this directory at the end; it need not exist yet."""
        self._tell("+", "directory", str(directory))

    def drop_directory(self, directory: Path) -> None:
        """Forget a directory that is gone, or that must stay."""
        self._tell("-", "directory", str(directory))

    def finish(self) -> None:
        """Let the watchman clean up what is left, and wait for it; at the end of this process."""
        with self._lock:
            if self._held:
                self._write([])  # starts another watchman if this one was killed
            watchman, self._watchman = self._watchman, None
            self._hang_up()
            self._held.clear()
        if watchman is not None:
            watchman.wait()

    def _tell(self, sign: str, what: str, name: int | str) -> None:
        with interruption.held(), self._lock:
            (self._held.add if sign == "+" else self._held.discard)((what, name))
            self._write([(sign, what, name)])

    def _write(self, orders: list[tuple[str, str, int | str]]) -> None:
        if self._watchman is not None and self._watchman.poll() is None:
            with suppress(BrokenPipeError):  # the watchman has just ended
                self._send(orders)
                return
        self._hang_up()
        self._watchman, self._pipe = _start_watchman()
        self._send([("+", *held) for held in self._held])

    def _send(self, orders: list[tuple[str, str, int | str]]) -> None:
        assert self._pipe is not None
        rest = b"".join(json.dumps(order).encode() + b"\n" for order in orders)
        while rest:
            rest = rest[os.write(self._pipe, rest) :]

    def _hang_up(self) -> None:
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None


def _start_watchman() -> tuple[subprocess.Popen[bytes], int]:
    """Start a watchman; return it with our end of its pipe, which no program that we start inherits."""
    its_end, our_end = os.pipe()
    try:
        started = subprocess.Popen(
            # Isolated, without site packages: it needs only the standard library and starts in milliseconds.
            [sys.executable, "-I", "-S", watchman.__file__, str(os.getpid())],
            stdin=its_end,
            stdout=subprocess.DEVNULL,
            # A session of its own, so that ctrl-C does not reach it.
            start_new_session=True,
        )
    except BaseException:
        os.close(our_end)
        raise
    finally:
        os.close(its_end)
    return started, our_end


guard = Guard()
"""The process's one guard."""
