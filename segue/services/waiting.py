"""Waits for a condition, never for a length of time."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(holds: Callable[[], bool], *, deadline_s: float, every_s: float = 0.05) -> bool:
    """Asks until the condition holds or the deadline has passed; returns its last answer.

    >>> wait_until(lambda: True, deadline_s=0)
    True
    >>> wait_until(lambda: False, deadline_s=0)
    False
    """
    end_s = time.monotonic() + deadline_s
    while not holds():
        if time.monotonic() >= end_s:
            return False
        time.sleep(every_s)
    return True
