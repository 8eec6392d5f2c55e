"""The webhooks of one lane, on the couriers that all lanes share."""

from __future__ import annotations

import queue
import time
from collections.abc import Mapping

from schemas.outputs.segment_change import Change
from segue.triggers.sending.courier import Courier, Job
from segue.triggers.webhook_post import Posted

# At its end a process waits this long for receivers; what they take later is sent again by the next owner.
FINISH_S = 10.0
_LOOK_S = 0.05

_Ended = tuple[int, str, Posted]


class _Takeover:
    """The webhooks that were sent since one takeover."""

    def __init__(self) -> None:
        self.over = False
        self.ended: queue.SimpleQueue[_Ended] = queue.SimpleQueue()
        self.jobs: dict[tuple[int, str], Job] = {}


class LanePost:
    """Implements :class:`~segue.triggers.webhook_post.Post`; used by one thread, the lane's.

    Args:
        couriers: the couriers by trigger.
    """

    def __init__(self, couriers: Mapping[str, Courier]) -> None:
        self._couriers = couriers
        self._now = _Takeover()

    def send(self, trigger: str, change: Change, number: int) -> None:
        """Post a webhook."""
        sent = self._now
        job = Job(change, lambda: not sent.over, lambda end: sent.ended.put((number, trigger, end)))
        sent.jobs[number, trigger] = job
        self._couriers[trigger].add(job)

    def ended(self, timeout_s: float = 0.0) -> list[_Ended]:
        """Return the ends since the last call; wait for the first."""
        found: list[_Ended] = []
        try:
            found.append(
                self._now.ended.get(timeout=timeout_s) if timeout_s else self._now.ended.get_nowait()
            )
            while True:
                found.append(self._now.ended.get_nowait())
        except queue.Empty:
            pass
        for number, trigger, _ in found:
            del self._now.jobs[number, trigger]
        return found

    def forget(self) -> None:
        """Send none that waits, and report no end of those sent before."""
        self._now.over = True
        self._now = _Takeover()

    def finish(self) -> None:
        """Begin no request, and wait for those that run."""
        self._now.over = True
        end_s = time.monotonic() + FINISH_S
        time.sleep(_LOOK_S)  # a courier may just be beginning one
        while any(job.running for job in self._now.jobs.values()) and time.monotonic() < end_s:
            time.sleep(_LOOK_S)
