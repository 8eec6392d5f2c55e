"""A process that outlives its parent, kills the servers that the parent started, and removes its directories.

`guard.py` runs it as a script, with the parent's process id. It reads lines of JSON from its standard input,
`["+", "group", 123]`, `["-", "directory", "/tmp/x"]`, and acts at the end of the input: the kernel closes the
input however the parent dies, also after SIGKILL or a fault. (A parent-death signal does not work: Linux
sends it at the end of the *thread* that started the server.)
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import sys
import time
from collections.abc import Iterator

_LOOK_AGAIN_S = 1.0
# A killed process may write for a moment longer, into a directory that is being removed.
_REMOVE_S = 5.0
_PAUSE_S = 0.05


def main(parent: int) -> None:
    """Wait until the parent is gone, then clean up."""
    # A signal that ends the parent must not end us first, such as a service manager's SIGTERM to all
    # processes.
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    held: set[tuple[str, int | str]] = set()
    for sign, what, name in _orders(parent):
        (held.add if sign == "+" else held.discard)((what, name))
    for what, name in held:
        if what == "group":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(int(name), signal.SIGKILL)
    for what, name in held:
        if what == "directory":
            _remove(str(name))


def _orders(parent: int) -> Iterator[tuple[str, str, int | str]]:
    """Give sign, kind and name of each order, until the input ends, or is empty after the parent's end.

    If the parent forked a child, the child holds the pipe open, and the input does not end. We read all that
    the parent wrote, even if the parent was gone before our first look.
    """
    rest = b""
    while True:
        orphaned = os.getppid() != parent  # before the look at the input: a dead parent writes no more
        if not select.select([0], [], [], 0 if orphaned else _LOOK_AGAIN_S)[0]:
            if orphaned:
                return
            continue
        block = os.read(0, 65_536)
        if not block:
            return
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            sign, what, name = json.loads(line)
            yield sign, what, name


def _remove(directory: str) -> None:
    end_s = time.monotonic() + _REMOVE_S
    while os.path.lexists(directory) and time.monotonic() < end_s:
        shutil.rmtree(directory, ignore_errors=True)
        time.sleep(_PAUSE_S)


if __name__ == "__main__":
    main(int(sys.argv[1]))
