"""Wait for a condition, not for a fixed time."""

from __future__ import annotations

from collections.abc import Callable
from operator import not_

from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed


def wait_until(holds: Callable[[], bool], *, deadline_s: float, every_s: float = 0.05) -> bool:
    """Wait until the condition holds or the deadline has passed; return whether it holds.

    >>> wait_until(lambda: True, deadline_s=0)
    True
    >>> wait_until(lambda: False, deadline_s=0)
    False
    """
    retrying = Retrying(
        retry=retry_if_result(not_),
        stop=stop_after_delay(deadline_s),
        wait=wait_fixed(every_s),
        retry_error_callback=lambda _: False,
    )
    return retrying(holds)
