"""The boards: each lane writes its progress here, for status pages, metrics and the log."""

import math
import threading
import time
from collections import Counter
from collections.abc import Sequence
from datetime import date

import structlog
from msgspec.structs import replace

from schemas.outputs.headers import OFFSET, PARTITION, TOPIC
from schemas.outputs.segment_change import Change
from streamer.batch.read_batch import Batch
from streamer.interfaces.lane_interfaces import OutRecord
from streamer.status.worker_metrics import Metrics
from streamer.status.worker_status import LaneStatus, Phase
from streamer.worker.event_spans import EventSpans

log = structlog.get_logger("segue.lane")

_LETTERS_EVERY_S = 60.0
"""A lane logs its dead letters at most once in this time, so a flood of bad events does not flood the log."""


class StatusBoard:
    """The progress of this worker's lanes, for status pages, metrics and, if ``spans`` is given, traces."""

    def __init__(self, metrics: Metrics, spans: EventSpans | None = None) -> None:
        self._metrics = metrics
        self._spans = spans
        self._lanes: dict[int, LaneBoard] = {}
        self._lock = threading.Lock()

    def opened(self, partition: int) -> "LaneBoard":
        """A new board for a lane that opens; the lane's former board is no longer shown."""
        lane = LaneBoard(partition, self._metrics, self._spans)
        with self._lock:
            self._lanes[partition] = lane
        return lane

    def closed(self, lane: "LaneBoard") -> None:
        """Remove a closed lane's board, unless the lane was opened again meanwhile."""
        with self._lock:
            if self._lanes.get(lane.partition) is lane:
                del self._lanes[lane.partition]

    def statuses(self) -> list[LaneStatus]:
        """The status of each lane of this worker, in the order of the lanes' numbers."""
        with self._lock:
            return [self._lanes[partition].status for partition in sorted(self._lanes)]


class LaneBoard:
    """The :class:`streamer.batch.lane_config.Watcher` of one open lane: keeps its status, counts and logs."""

    def __init__(self, partition: int, metrics: Metrics, spans: EventSpans | None = None) -> None:
        self.partition = partition
        # One frozen value that is only replaced, so any thread may read it.
        self.status = LaneStatus(partition=partition, phase="waiting")
        self._metrics = metrics
        self._spans = spans
        self._logged_phase: tuple[Phase, str | None] | None = None
        self._logged_unknown = False
        self._logged_passed_over: set[str] = set()
        self._unlogged_letters = 0
        self._logged_letters_at = -math.inf

    def phase(self, phase: Phase, reason: str | None) -> None:
        if phase == "taking over":
            reason = self.status.reason  # the reason of the takeover; the same wait may follow again
        self.status = replace(self.status, phase=phase, reason=reason, heard=time.monotonic())
        if phase == "taking over":
            # Log a takeover only when it ends: a retry that fails for the same reason is not worth a line.
            self._metrics.takeover(self.partition)
        elif self._logged_phase != (phase, reason):
            self._logged_phase = phase, reason
            why = {"reason": reason} if reason else {}
            write = log.warning if reason and phase in ("waiting", "stopped") else log.info
            write("lane.phase", lane=self.partition, phase=phase, **why)

    def reached(self, positions: dict[str, int], lag: dict[str, int]) -> None:
        now = time.monotonic()
        since = self.status.waiting_since if self.status.waiting_since is not None else now
        self.status = replace(
            self.status,
            positions=positions,
            lag=lag,
            waiting_since=since if any(lag.values()) else None,
            heard=now,
        )

    def swept(self, activation: int, users: int, changes: Sequence[Change], left: int) -> None:
        """Show and count a sweep batch; log the end of a sweep.

        Args:
            activation: the activation that decides in this sweep.
            users: how many users the batch re-decided.
            changes: the changes of these users.
            left: how many users the sweep has not reached yet.
        """
        was = self.status
        self.status = replace(was, changes=was.changes + len(changes), activation=activation, sweep_left=left)
        self._metrics.swept(users, Counter(change.kind for change in changes))
        if users and not left:
            log.info("lane.swept", lane=self.partition, activation=activation)

    def came_due(self, day: date, users: int, changes: Sequence[Change], left: int) -> None:
        """Show and count a batch of users who were due; log the end of a day's users.

        Args:
            day: the lane's day.
            users: how many users the batch decided.
            changes: the changes of these users.
            left: how many users are still due on this day.
        """
        was = self.status
        self.status = replace(was, changes=was.changes + len(changes), day=day, due_left=left)
        self._metrics.came_due(users, Counter(change.kind for change in changes))
        if users and not left:
            log.info("lane.day", lane=self.partition, day=day.isoformat())

    def batch(self, batch: Batch, changes: Sequence[Change], seconds: dict[str, float]) -> None:
        was = self.status
        self.status = replace(
            was,
            events=was.events + len(batch.events),
            changes=was.changes + len(changes),
            dead_letters=was.dead_letters + len(batch.dead_letters),
            last_progress=time.monotonic(),
            waiting_since=None,
        )
        now_ms = time.time() * 1_000
        self._metrics.batch(
            events=Counter(incoming.cause.topic or "" for incoming in batch.events),
            dead_letters=Counter(dict(letter.headers)[TOPIC].decode() for letter in batch.dead_letters),
            rekeyed=len(batch.rekeyed),
            passed_over=batch.passed_over,
            unknown=len(batch.unknown),
            changes=Counter(change.kind for change in changes),
            seconds=seconds,
            latencies_s=[(now_ms - incoming.written_ms) / 1_000 for incoming in batch.events],
        )
        if self._spans is not None:
            self._spans.batch(self.partition, batch, seconds)
        if batch.dead_letters:
            self._log_letters(batch.dead_letters)
        for topic in batch.passed_over.keys() - self._logged_passed_over:
            self._logged_passed_over.add(topic)
            log.info(
                "lane.passed_over",
                lane=self.partition,
                topic=topic,
                reason="records of other kinds than this topic's events are passed over:"
                " segue_passed_over_total counts them",
            )
        if batch.unknown and not self._logged_unknown:
            self._logged_unknown = True
            cause = batch.unknown[0].cause
            log.warning(
                "lane.unknown_erasure",
                lane=self.partition,
                topic=cause.topic,
                partition=cause.partition,
                offset=cause.offset,
                reason="an erasure names an unknown user: check that its key is the bare user id;"
                " segue_unknown_erasures_total counts further ones",
            )

    def _log_letters(self, letters: Sequence[OutRecord]) -> None:
        """Log the number of dead letters since the last line, and the source of the first in this batch.

        The line has neither the key nor the reason, because both may contain data of an event.
        """
        self._unlogged_letters += len(letters)
        now = time.monotonic()
        if now - self._logged_letters_at < _LETTERS_EVERY_S:
            return
        came = dict(letters[0].headers)
        log.warning(
            "lane.dead_letters",
            lane=self.partition,
            count=self._unlogged_letters,
            topic=came[TOPIC].decode(),
            partition=int(came[PARTITION]),
            offset=int(came[OFFSET]),
            reason="events cannot be applied: `segue dead-letters list` shows why",
        )
        self._unlogged_letters, self._logged_letters_at = 0, now
