"""Waits for a Kafka or a Redis that does not answer yet. The user sees the wait, and it has an end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    retry_if_not_exception_type,
    wait_fixed,
)

from schemas.errors import LoginRefused, Unreachable, Unusable

Found = TypeVar("Found")
Say = Callable[[str], None]

PATIENCE_S = 300.0
"""Seconds until a command gives up. A server that starts answers sooner.

This is not a setting: users have ctrl-C and `timeout`.
"""
QUIET_S = 3.0
"""Shorter waits are not reported."""
_REMIND_S = 60.0
_RETRY_S = 1.0
_LOOK_S = 0.5
_SHORT_S: ContextVar[float | None] = ContextVar("short patience in seconds", default=None)
_MAY_PASS = retry_if_exception_type(Unreachable) & retry_if_not_exception_type((LoginRefused, Unusable))


@contextmanager
def short_patience(seconds: float) -> Iterator[None]:
    """Let the waits that begin in this block give up after so many seconds, and report nothing.

    A web server uses it: who asked it has an answer then, and nothing is done after that answer.
    """
    token = _SHORT_S.set(seconds)
    try:
        yield
    finally:
        _SHORT_S.reset(token)


def patience_s() -> float:
    """Return the seconds until a wait that begins now gives up."""
    short_s = _SHORT_S.get()
    return PATIENCE_S if short_s is None else short_s


def answer_s(deadline_s: float) -> float:
    """Return the seconds that one answer may take: the deadline, but within a short patience no more."""
    short_s = _SHORT_S.get()
    return deadline_s if short_s is None else min(deadline_s, short_s)


class Wait:
    """Waits for one server, as often as needed, and reports it: since when, why, and when the wait is over.

    Threads may share a Wait.

    Args:
        server: the server's name for messages, such as `Kafka at 127.0.0.1:9092`.
        say: called with each sentence; by default the sentences go to standard error.
        clock: returns seconds that never go back.
    """

    def __init__(
        self, server: str, say: Say | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.server = server
        self._short_s = _SHORT_S.get()
        self._say = say or (_to_people if self._short_s is None else _to_nobody)
        self._clock = clock
        self._lock = threading.Lock()
        self._since_s: float | None = None
        self._since = datetime.now(UTC)
        self._said_s: float | None = None
        self._reason: str | None = None

    def begin(self) -> None:
        """Start the wait, if it has not started."""
        with self._lock:
            self._begin()

    def over(self) -> None:
        """End the wait, because the server has answered."""
        with self._lock:
            if self._since_s is not None and self._said_s is not None:
                self._say(f"{self.server} answers, after {self._clock() - self._since_s:.0f} s.")
            self._since_s = self._said_s = self._reason = None

    def lasts(self, reason: str | None = None, *, at_once: bool = False) -> bool:
        """Note that there is still no answer, and report it from time to time.

        Args:
            reason: why, as a sentence; None if the server is only silent.
            at_once: report it even if the wait has just begun, because the caller has already waited.

        Returns:
            Whether the wait has lasted as long as :func:`patience_s` said when this object was made.
        """
        with self._lock:
            since_s, now_s = self._begin(), self._clock()
            if self._said_s is None:
                if at_once or now_s - since_s >= QUIET_S:
                    self._tell(
                        f"{_sentence(reason or f'{self.server} has not answered yet')} {self._terms}", reason
                    )
            elif now_s - self._said_s >= _REMIND_S or (reason is not None and self._reason is None):
                still = reason or self._reason or f"{self.server} has not answered yet"
                self._tell(f"{_sentence(still)} Waiting for {now_s - since_s:.0f} s so far.", reason)
            return now_s - since_s >= (PATIENCE_S if self._short_s is None else self._short_s)

    def until_answered(self, attempt: Callable[[], Found]) -> Found:
        """Return the attempt's result; repeat the attempt while the server does not answer.

        Raises:
            LoginRefused, Unusable: at once, because waiting does not help.
            Unreachable: the server has not answered for as long as :meth:`lasts` allows.
        """

        def ask() -> Found:
            with self.visible():
                return attempt()

        def patience_ends(state: RetryCallState) -> bool:
            assert state.outcome is not None
            return self.lasts(str(state.outcome.exception()), at_once=True)

        return Retrying(retry=_MAY_PASS, stop=patience_ends, wait=wait_fixed(_RETRY_S), reraise=True)(ask)

    @contextmanager
    def visible(self) -> Iterator[None]:
        """Report the wait while the block runs. Use it for a request that must not be repeated."""
        done = threading.Event()

        def watch() -> None:
            while not done.wait(_LOOK_S):
                self.lasts()

        self.begin()
        watching = threading.Thread(target=watch, name="waiting", daemon=True)
        watching.start()
        try:
            yield
        except Unreachable:
            raise
        except BaseException:
            self._forget()
            raise
        else:
            self.over()
        finally:
            done.set()
            watching.join()

    @property
    def _terms(self) -> str:
        most = f"{PATIENCE_S / 60:.0f} minutes"
        return f"Waiting since {self._since:%H:%M:%S} UTC, for {most} at most; ctrl-C ends it."

    def _begin(self) -> float:
        if self._since_s is None:
            self._since_s, self._since = self._clock(), datetime.now(UTC)
        return self._since_s

    def _tell(self, sentence: str, reason: str | None) -> None:
        self._said_s, self._reason = self._clock(), reason or self._reason
        self._say(sentence)

    def _forget(self) -> None:
        with self._lock:
            self._since_s = self._said_s = self._reason = None


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _to_nobody(_sentence: str) -> None:
    pass


def _to_people(sentence: str) -> None:
    from segue.show.terminal import say  # noqa: PLC0415 - a worker needs no terminal

    say(sentence)
