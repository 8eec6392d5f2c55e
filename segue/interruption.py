"""Ctrl-C and SIGTERM end a command with 130 or 143 and one word, wherever it is.

The first signal raises KeyboardInterrupt in the main thread, and all that was started is ended in order. Later
signals raise nothing: they would break off that order. A thread of its own ends the process at once where order
cannot be had: at a second signal, and where a library's C code keeps the main thread.

Libraries turn KeyboardInterrupt into other errors (DuckDB: `RuntimeError: Query interrupted`), and Python drops it in
destructors. So the signal decides the exit code, not the error that arrives.

This module imports little, since until :func:`run_guarded` runs, Python itself answers ctrl-C, with a traceback.
"""

from __future__ import annotations

import atexit
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_WORDS = {int(signal.SIGINT): "Interrupted.", int(signal.SIGTERM): "Terminated."}
_SAME_S = 0.5
"""A second signal this soon counts as the first: a terminal signals its whole group, and `uv run` passes it on."""
_STUCK_S = 15.0
"""How long a call into C may keep the main thread from the first signal; a busy machine may, for some seconds."""
_AGAIN_S = 0.02
_RAISE_AGAIN = 0
"""The byte in the pipe that asks the watching thread to send the first signal again."""
_SHOW_CURSOR, _OVER_THE_LINE = "\x1b[?25h", "\r\x1b[K"


class _Signals:
    """What is known of this process's signals.

    Attributes:
        first: the number of the first one that came.
        over: the command has ended; Python shuts down.
        holders: how many callers keep the first one waiting.
        waits: the first one came while it was held.
        again: the next one is the first, sent again.
    """

    def __init__(self) -> None:
        self.first: int | None = None
        self.over = False
        self.holders = 0
        self.waits = False
        self.again = False
        self.pipe, self.pipe_end = -1, -1
        self.unsaid = threading.Lock()
        self.main_thread = threading.main_thread().ident or 0

    def listen(self) -> None:
        """Take the signals, those apart that this process was started to ignore, as a shell's background is."""
        self.pipe, self.pipe_end = os.pipe()
        os.set_blocking(self.pipe_end, False)
        for number in _WORDS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self.on_signal)
        signal.set_wakeup_fd(self.pipe_end, warn_on_full_buffer=False)
        threading.Thread(target=self.watch, name="signals", daemon=True).start()

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """Runs in the main thread, between two steps of Python."""
        if self.first is not None and not self.again:
            return
        self.first, self.again = self.first or number, False
        if self.over:
            return
        if self.holders:
            self.waits = True
        elif frame is not None and frame.f_code is _on_unraisable.__code__:
            self.ask_again()
        else:
            raise KeyboardInterrupt

    def ask_again(self) -> None:
        """Have the first signal sent again, in a moment, when the main thread is elsewhere."""
        os.write(self.pipe_end, bytes([_RAISE_AGAIN]))

    def watch(self) -> None:
        """Runs in a thread: each signal is a byte in the pipe, whatever the main thread does."""
        first, began = 0, 0.0
        while True:
            stuck_s = max(0.0, began + _STUCK_S - time.monotonic()) if first and self.first is None else None
            if not select.select([self.pipe], [], [], stuck_s)[0]:
                self.end_at_once(first)
            number = os.read(self.pipe, 1)[0]
            if number == _RAISE_AGAIN:
                time.sleep(_AGAIN_S)
                if self.first is not None and not self.over:
                    self.again = True
                    signal.pthread_kill(self.main_thread, self.first)  # which ends a system call there, too
                    os.read(self.pipe, 1)
            elif number in _WORDS and signal.getsignal(number) == self.on_signal:  # else somebody else's
                if first and time.monotonic() - began > _SAME_S:
                    self.end_at_once(first)
                if not first:
                    first, began = number, time.monotonic()

    def end_at_once(self, number: int) -> None:
        """End the process, whatever goes on in it."""
        self.say_the_word(number)
        os._exit(128 + number)

    def say_the_word(self, number: int) -> None:
        """Say once, past every buffer and lock, what ended the command."""
        if not self.unsaid.acquire(blocking=False):
            return
        before = f"{_SHOW_CURSOR}{_OVER_THE_LINE}" if os.isatty(2) else ""  # which may begin with ^C
        with suppress(OSError):
            os.write(2, f"{before}{_WORDS[number]}\n".encode())


_signals = _Signals()


def came() -> bool:
    """Whether a signal has come that ends the command."""
    return _signals.first is not None


def run_guarded(command: Callable[[], int]) -> None:
    """Run a command, and end this process with its exit code, or with 130 or 143 where a signal ended it.

    Python's own shutdown is left out. In it libraries complain of what interrupted frames still hold (DuckDB's binding
    does), and a signal ends the process in its own way.
    """
    sys.unraisablehook = _on_unraisable
    threading.excepthook = _on_thread_error
    code = 0
    try:
        _signals.listen()
        code = command()
        _signals.over = True
    except BaseException:
        _signals.over = True
        if _signals.first is None:
            raise
    ended_by = _signals.first
    atexit._run_exitfuncs()  # noqa: SLF001
    for output in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # none, closed, or nobody reads it
            output.flush()
    if ended_by is not None:
        _signals.end_at_once(ended_by)
    os._exit(code)


@contextmanager
def held() -> Iterator[None]:
    """Keep a signal waiting until the steps in the block are done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _signals.holders += 1
    try:
        yield
    finally:
        _signals.holders -= 1
        if _signals.waits and not _signals.holders:
            _signals.waits = False
            raise KeyboardInterrupt


def _on_unraisable(told: sys.UnraisableHookArgs) -> None:
    """An error in a destructor or a callback of C: if it is ours, Python has lost it."""
    if _signals.first is None:
        sys.__unraisablehook__(told)
    elif told.exc_type is KeyboardInterrupt:
        _signals.ask_again()


def _on_thread_error(told: threading.ExceptHookArgs) -> None:
    """What a thread meets while the command is ended under it is of no interest."""
    if _signals.first is None:
        threading.__excepthook__(told)
