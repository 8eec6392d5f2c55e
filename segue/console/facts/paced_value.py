"""A value that many ask for and that is computed seldom."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Generic, TypeVar

from schemas.errors import SegueError

Value = TypeVar("Value")

_REST = 20.0
"""A computation rests for so many times its own duration: it takes at most 5% of the time."""


@dataclass(frozen=True, slots=True)
class _Outcome(Generic[Value]):
    result: Value | SegueError
    until_s: float

    def get(self) -> Value:
        if isinstance(self.result, SegueError):
            raise self.result.with_traceback(None)  # the traceback would grow with each raise
        return self.result


class PacedValue(Generic[Value]):
    """Computes a value when it is asked for and the last one is old. Any thread may ask.

    One thread computes at a time. The others get the last value meanwhile, or wait for the first.

    Args:
        compute: returns the value. A SegueError is kept for ``least_s``, so that a server that does not
            answer is not asked by everybody.
        least_s: how many seconds a value is new at least.
        clock: returns seconds that never go back.
        most_s: how many seconds a value is shown at most. Give it if a slow answer shows that a server was
            away for a moment, and not how much there is to compute.
    """

    def __init__(
        self,
        compute: Callable[[], Value],
        least_s: float,
        clock: Callable[[], float] = time.monotonic,
        *,
        most_s: float = inf,
    ) -> None:
        self._compute, self._clock = compute, clock
        self._least_s, self._most_s = least_s, most_s
        self._lock = threading.Lock()
        self._held: _Outcome[Value] | None = None

    def get(self) -> Value:
        """Return the value.

        Raises:
            SegueError: the value cannot be computed.
        """
        held = self._held
        if held is not None and self._clock() < held.until_s:
            return held.get()
        if not self._lock.acquire(blocking=held is None):
            assert held is not None
            return held.get()
        try:
            if self._held is held:  # else another thread has computed it in the meantime
                self._held = self._computed()
            assert self._held is not None
            return self._held.get()
        finally:
            self._lock.release()

    def _computed(self) -> _Outcome[Value]:
        began_s = self._clock()
        result: Value | SegueError
        try:
            result = self._compute()
        except SegueError as error:
            # The error is kept, and must not keep what the computation had in its frames.
            error.__cause__ = error.__context__ = None
            result = error.with_traceback(None)
        now_s = self._clock()
        rest_s = 0.0 if isinstance(result, SegueError) else _REST * (now_s - began_s)
        return _Outcome(result, now_s + max(self._least_s, min(rest_s, self._most_s)))
