"""Ends a command at ctrl-C or SIGTERM with exit code 130 or 143 and one word, at any point of its run.

A command that only waits for a signal, such as `segue up`, ends with 0 (:func:`normal_end`).

The first signal raises KeyboardInterrupt in the main thread. Then the command ends everything that it
started, in order. Later signals raise nothing, because an exception would interrupt this clean end. A
separate thread ends the process at once in two cases: a second signal comes, or a library's C code blocks the
main thread. (DuckDB asks Python for signals, and may then wait for its own threads for hours.)

Libraries turn KeyboardInterrupt into other errors (DuckDB: `RuntimeError: Query interrupted`), and Python
drops it in destructors. So the signal decides the exit code, not the error that arrives.

This module imports little: before :func:`run_guarded` runs, Python itself answers ctrl-C, with a traceback.
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
_STOPPED = "Stopped."
"""The word at a signal that is the command's normal end."""
_SAME_S = 0.5
"""A second signal within this time counts as the first.

A terminal signals its whole process group, and `uv run` forwards the same signal again.
"""
_STUCK_S = 15.0
"""After a signal, C code may block the main thread for this time. A busy machine may need some seconds."""
_AGAIN_S = 0.02
_RAISE_AGAIN = 0
"""The byte in the pipe that asks the watching thread to send the first signal again."""
_SHOW_CURSOR, _OVER_THE_LINE = "\x1b[?25h", "\r\x1b[K"


class _Signals:
    """The state of this process's signals.

    Attributes:
        first: the number of the first signal; None if no signal has come.
        normal: whether the first signal was the command's normal end.
        over: whether the command has ended and Python shuts down.
        holders: how many callers of :func:`held` delay the first signal now.
        waits: whether the first signal came while it was delayed.
        again: whether the next signal is the first signal, sent again by :meth:`watch`.
        pipe: the end of a pipe from which :meth:`watch` reads one byte for each signal.
        pipe_end: the other end, to which Python writes the signals' numbers.
        raised_at: the frame of the main thread in which KeyboardInterrupt was raised, and its instruction.
        unsaid: a lock that is free until the word was written.
    """

    def __init__(self) -> None:
        self.first: int | None = None
        self.normal = False
        self.over = False
        self.holders = 0
        self.waits = False
        self.again = False
        self.pipe, self.pipe_end = -1, -1
        self.raised_at: tuple[FrameType | None, int] | None = None
        self.unsaid = threading.Lock()
        self.main_thread = threading.main_thread().ident or 0

    def listen(self) -> None:
        """Handle the signals, except those that the process ignores since its start.

        A shell starts background jobs in this way.
        """
        self.pipe, self.pipe_end = os.pipe()
        os.set_blocking(self.pipe_end, False)
        for number in _WORDS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self.on_signal)
        signal.set_wakeup_fd(self.pipe_end, warn_on_full_buffer=False)
        threading.Thread(target=self.watch, name="signals", daemon=True).start()

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal. Python calls this in the main thread, between two instructions."""
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
            self.raised_at = _place_in(frame)
            raise KeyboardInterrupt

    def ask_again(self) -> None:
        """Ask :meth:`watch` to send the first signal again soon, when the main thread runs other code."""
        os.write(self.pipe_end, bytes([_RAISE_AGAIN]))

    def watch(self) -> None:
        """Watch the signals in a thread.

        Each signal is a byte in the pipe, even if the main thread is blocked.
        """
        first, began, looked = 0, 0.0, False
        while True:
            stuck_s = max(0.0, began + _STUCK_S - time.monotonic()) if first and not looked else None
            if not select.select([self.pipe], [], [], stuck_s)[0]:
                if self.blocked():
                    self.end_at_once(first)
                looked = True
                continue
            number = os.read(self.pipe, 1)[0]
            if number == _RAISE_AGAIN:
                time.sleep(_AGAIN_S)
                if self.first is not None and not self.over:
                    self.again = True
                    signal.pthread_kill(self.main_thread, self.first)  # this also interrupts a system call
                    os.read(self.pipe, 1)
            elif number in _WORDS and signal.getsignal(number) == self.on_signal:  # else a library handles it
                if first and time.monotonic() - began > _SAME_S:
                    self.end_at_once(first)
                if not first:
                    first, began = number, time.monotonic()

    def blocked(self) -> bool:
        """Return whether the main thread is still in the C code in which the first signal found it."""
        if self.first is None:
            return True
        return self.raised_at is not None and self.raised_at == _place_in(
            sys._current_frames().get(self.main_thread)  # noqa: SLF001
        )

    def end_at_once(self, number: int) -> None:
        """End the process without any cleanup."""
        self.say_the_word(_WORDS[number])
        os._exit(128 + number)

    def say_the_word(self, word: str) -> None:
        """Write once what ended the command, without Python's buffers and locks."""
        if not self.unsaid.acquire(blocking=False):
            return
        before = f"{_SHOW_CURSOR}{_OVER_THE_LINE}" if os.isatty(2) else ""  # the line may begin with ^C
        with suppress(OSError):
            os.write(2, f"{before}{word}\n".encode())


def _place_in(frame: FrameType | None) -> tuple[FrameType | None, int]:
    return frame, -1 if frame is None else frame.f_lasti


_signals = _Signals()


def signal_came() -> bool:
    """Return whether a signal has come that ends the command."""
    return _signals.first is not None


def raise_lost() -> None:
    """Raise KeyboardInterrupt if a signal came; for a loop that only a signal ends.

    C code can lose the exception: confluent-kafka sets it while it destroys a client, and nobody looks there.
    """
    if signal_came():
        raise KeyboardInterrupt


def run_guarded(command: Callable[[], int]) -> None:
    """Run a command, and end this process with its exit code, or with 130 or 143 if a signal ended it.

    It skips Python's own shutdown. There libraries (such as DuckDB's binding) would complain about objects
    that interrupted frames still hold, and a signal would end the process with another exit code.
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
        with suppress(AttributeError, OSError, ValueError):  # no output, closed, or its reader is gone
            output.flush()
    if ended_by is not None:
        if not _signals.normal:
            _signals.end_at_once(ended_by)
        _signals.say_the_word(_STOPPED)
    os._exit(code)


@contextmanager
def normal_end() -> Iterator[None]:
    """Make a signal within the block the command's normal end: exit code 0, after the cleanup.

    A second signal still ends the process at once, with 130 or 143.
    """
    try:
        yield
    finally:
        _signals.normal = signal_came()


@contextmanager
def held() -> Iterator[None]:
    """Delay a signal until the block is done."""
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


def _on_unraisable(error: sys.UnraisableHookArgs) -> None:
    """Handle an error in a destructor or in a callback from C.

    Python drops such an error. If it was our KeyboardInterrupt, send the signal again.
    """
    if _signals.first is None:
        sys.__unraisablehook__(error)
    elif error.exc_type is KeyboardInterrupt:
        _signals.ask_again()


def _on_thread_error(error: threading.ExceptHookArgs) -> None:
    """Report a thread's error, except after a signal: then threads fail because the command ends."""
    if _signals.first is None:
        threading.__excepthook__(error)
