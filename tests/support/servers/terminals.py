"""A pseudo-terminal for one test, with a size and a record of its output."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import termios
import threading
from types import TracebackType
from typing import Self

from rich.console import Console


class Terminal:
    """A terminal that is open during its context. A thread reads it, so that a writer never waits.

    Attributes:
        end: the file descriptor that a program writes to.
    """

    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        self._ours, self.end = pty.openpty()
        fcntl.ioctl(self.end, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._read = bytearray()
        self._reader = threading.Thread(target=self._drain, daemon=True)
        self._file = os.fdopen(os.dup(self.end), "w", encoding="utf-8")
        self._size = columns, rows

    @property
    def console(self) -> Console:
        """Return a console that draws on this terminal."""
        columns, rows = self._size
        return Console(
            file=self._file, width=columns, height=rows, soft_wrap=True, _environ={"TERM": "xterm-256color"}
        )

    def __enter__(self) -> Self:
        self._reader.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        os.close(self.end)  # a program that draws here has its own descriptor
        self._reader.join(10)
        os.close(self._ours)

    def drawn(self) -> str:
        """Return the output so far, with the escape sequences."""
        return self._read.decode(errors="replace")

    def press_ctrl_c(self) -> None:
        """Send ctrl-C; the terminal turns it into a signal."""
        os.write(self._ours, b"\x03")

    def _drain(self) -> None:
        while True:
            try:
                block = os.read(self._ours, 65_536)
            except OSError:  # no program has the terminal open any more
                return
            if not block:
                return
            self._read += block
