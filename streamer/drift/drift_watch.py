"""Compares the users of this worker's lanes with the training users, each hour and after each activation."""

import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import structlog

from schemas.errors import SegueError
from streamer.drift.compare_users import drift_of
from streamer.segment.active_model import ActiveModel
from streamer.segment.lane_day import date_of
from streamer.status.drift_status import DriftStatus
from streamer.status.worker_status import LaneStatus
from streamer.user.order_rules import Rules
from streamer.user.user_state import UserState

EVERY_S = 3_600.0
_LOOK_S = 1.0
# After a failure, such as a Redis that does not answer.
_RETRY_S = 60.0

Sample = Callable[[list[int]], Iterable[UserState]]

log = structlog.get_logger(__name__)


class DriftWatch:
    """A thread that compares; it never ends the worker.

    Args:
        model: gives the release in use; None before the first.
        lanes: gives the status of this worker's lanes.
        sample: gives a random sample of the users of these lanes.
        rules: the settings that make features.
        every_s: seconds between two comparisons.
    """

    def __init__(
        self,
        model: Callable[[], ActiveModel | None],
        lanes: Callable[[], list[LaneStatus]],
        sample: Sample,
        rules: Rules,
        *,
        every_s: float = EVERY_S,
    ) -> None:
        self._model = model
        self._lanes = lanes
        self._sample = sample
        self._rules = rules
        self._every_s = every_s
        self._found: DriftStatus | None = None
        self._compared: tuple[int, list[int]] | None = None
        self._next_s = 0.0
        self._told: tuple[str, ...] = ()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="drift", daemon=True)

    def start(self) -> None:
        """Begin to compare in the background."""
        self._thread.start()

    def close(self) -> None:
        """Stop after the present user."""
        self._closing.set()

    def status(self) -> DriftStatus | None:
        """What the last comparison found; None before the first, and if this worker has no lane now.

        It is also None if the release in use is another by now. Any thread may call this.
        """
        found, model = self._found, self._model()
        if found is None or model is None or found.activation != model.activation or not self._lanes():
            return None
        return found

    def _run(self) -> None:
        while not self._closing.wait(_LOOK_S):
            try:
                self.look(time.monotonic())
            except SegueError as error:
                self._next_s = time.monotonic() + _RETRY_S
                log.warning("drift.waits", reason=str(error))
            except Exception as error:
                self._next_s = time.monotonic() + self._every_s
                log.error("drift.failed", error=repr(error))  # noqa: TRY400 - one line
                log.debug("drift.failed", exc_info=True)

    def look(self, now_s: float) -> None:
        """Compare, if it is time and every lane is live.

        Args:
            now_s: the present time, in seconds of the monotonic clock.
        """
        model, lanes = self._model(), self._lanes()
        if model is None or not lanes or any(lane.phase != "live" for lane in lanes):
            return
        numbers = [lane.partition for lane in lanes]
        if now_s < self._next_s and self._compared == (model.activation, numbers):
            return
        now = datetime.now(UTC)
        users = (state for state in self._sample(numbers) if not self._closing.is_set())
        found = drift_of(model, users, self._rules, date_of(self._rules, now), now)
        if self._closing.is_set():
            return
        self._found, self._compared = found, (model.activation, numbers)
        self._next_s = now_s + self._every_s
        self._tell(found)

    def _tell(self, found: DriftStatus | None) -> None:
        """Log when other features than before have drifted."""
        drifted = () if found is None else tuple(feature.name for feature in found.drifted)
        if found is not None and drifted and drifted != self._told:
            log.warning(
                "drift.found", features=",".join(drifted), release=found.version, users=found.compared
            )
        self._told = drifted
