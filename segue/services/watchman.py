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
from collections.abc import Iterator

_LOOK_AGAIN_S = 1.0


def main(parent: int) -> None:
    """Watches until the parent is gone, then cleans up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    held: set[tuple[str, int | str]] = set()
    for sign, what, name in _orders(parent):
        (held.add if sign == "+" else held.discard)((what, name))
    for what, name in held:
        if what == "group":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(int(name), signal.SIGKILL)
    for what, name in held:  # after all of them are dead: they write there
        if what == "directory":
            shutil.rmtree(str(name), ignore_errors=True)


def _orders(parent: int) -> Iterator[tuple[str, str, int | str]]:
    """Sign, what and name of each order, until the input ends or the parent is gone.

    A child that the parent forked holds the other end of the pipe open: hence the second condition.
    """
    rest = b""
    while os.getppid() == parent:
        if not select.select([0], [], [], _LOOK_AGAIN_S)[0]:
            continue
        block = os.read(0, 65_536)
        if not block:
            return
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            sign, what, name = json.loads(line)
            yield sign, what, name


if __name__ == "__main__":
    main(int(sys.argv[1]))
