"""Nothing that we start outlives us: our side of `watchman.py`.

Process groups and directories given to the guard are killed and removed when this process ends without
having done so: by an exception, a signal, or SIGKILL. No signal handler is touched for it.

It is told before there is something to clean up: of a directory before it is made (`make_directory`), of a server
before that begins (`server_process.py`). So there is no moment at which we could die and leave something behind.
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
    """Tells the watchman what is ours. Threads may share it; a forked child begins with nothing."""

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
        """What is held is our parent's, and its watchman's, who is to see our parent's end alone."""
        if self._watchman is not None:
            self._watchman.returncode = 0  # not our child: nobody to wait for
        self._hang_up()
        self._begin()

    def add_group(self, pid: int) -> None:
        """The process group of this id is ours."""
        self._tell("+", "group", pid)

    def drop_group(self, pid: int) -> None:
        """The process group of this id has ended; called at once."""
        self._tell("-", "group", pid)

    def make_directory(self) -> Path:
        """A new directory that is ours, with all that will be in it."""
        directory = Path(tempfile.gettempdir()) / f"segue-{uuid.uuid4().hex}"
        self.add_directory(directory)
        directory.mkdir(mode=0o700)
        return directory

    def add_directory(self, directory: Path) -> None:
        """This directory is ours, whether it is there yet or not."""
        self._tell("+", "directory", str(directory))

    def drop_directory(self, directory: Path) -> None:
        """This directory is gone, or stays."""
        self._tell("-", "directory", str(directory))

    def finish(self) -> None:
        """Let the watchman act on whatever is left, and wait for that; at the end of this process."""
        with self._lock:
            if self._held:
                self._write([])  # to another one, if somebody killed this one
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
            with suppress(BrokenPipeError):  # it ends at this moment
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
    """A watchman, and the end of the pipe that it is told by; no program that we start inherits that."""
    its_end, our_end = os.pipe()
    try:
        started = subprocess.Popen(
            # Isolated and without site packages: it starts in a few milliseconds and needs the library alone.
            [sys.executable, "-I", "-S", watchman.__file__, str(os.getpid())],
            stdin=its_end,
            stdout=subprocess.DEVNULL,
            # In a session of its own, where ctrl-C does not reach it.
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
