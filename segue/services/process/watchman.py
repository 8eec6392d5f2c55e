"""The process that outlives us, kills what we started and removes our directories.

Run as a script, by `guard.py`, with our process id. It reads lines of JSON from its standard input,
`["+", "group", 123]`, `["-", "directory", "/tmp/x"]`, and acts when that input ends: the kernel closes it
however we die, SIGKILL and a fault included. (A parent-death signal would not do: Linux sends it when the
*thread* ends that started the server.)
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
# Whoever was killed may still write for a moment, into a directory that is being removed.
_REMOVE_S = 5.0
_PAUSE_S = 0.05


def main(parent: int) -> None:
    """Watches until the parent is gone, then cleans up."""
    # Whatever ends our parent, a service manager's SIGTERM to all of its processes included, must not end us first.
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
    """Sign, what and name of each order, until the input ends or, the parent gone, holds no more.

    A child that the parent forked holds the other end of the pipe open: then the input does not end. What the
    parent wrote is read all the same, also where the parent was gone before we looked for the first time.
    """
    rest = b""
    while True:
        orphaned = os.getppid() != parent  # asked before the input is: afterwards nothing more is written
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
