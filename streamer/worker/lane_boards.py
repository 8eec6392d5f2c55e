"""The boards on which the lanes write what they do."""

import math
import threading
import time
from collections import Counter
from collections.abc import Sequence

import structlog
from msgspec.structs import replace

from schemas.outputs.headers import OFFSET, PARTITION, TOPIC
from schemas.outputs.segment_change import Change
from streamer.batch.read_batch import Batch
from streamer.interfaces.lane_interfaces import OutRecord
from streamer.status.worker_metrics import Metrics
from streamer.status.worker_status import LaneStatus, Phase

log = structlog.get_logger("segue.lane")

_LETTERS_EVERY_S = 60.0
"""How often a lane logs its dead letters, at most: a flood of bad events does not flood the log."""


class StatusBoard:
    """What the lanes of this worker do: for status pages and metrics."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._lanes: dict[int, LaneBoard] = {}
        self._lock = threading.Lock()

    def opened(self, partition: int) -> "LaneBoard":
        """A board for a lane that opens; what an earlier opening still writes shows no more."""
        lane = LaneBoard(partition, self._metrics)
        with self._lock:
            self._lanes[partition] = lane
        return lane

    def closed(self, lane: "LaneBoard") -> None:
        """The lane is no longer this worker's, or was opened again meanwhile."""
        with self._lock:
            if self._lanes.get(lane.partition) is lane:
                del self._lanes[lane.partition]

    def statuses(self) -> list[LaneStatus]:
        """The lanes of this worker, by number."""
        with self._lock:
            return [self._lanes[partition].status for partition in sorted(self._lanes)]


class LaneBoard:
    """A :class:`streamer.batch.lane_config.Watcher` of one opened lane: its newest status, all counted and logged."""

    def __init__(self, partition: int, metrics: Metrics) -> None:
        self.partition = partition
        # One frozen value, replaced whole, so that any thread may read it.
        self.status = LaneStatus(partition=partition, phase="waiting")
        self._metrics = metrics
        self._told: tuple[Phase, str | None] | None = None
        self._told_unknown = False
        self._untold_letters = 0
        self._told_letters_at = -math.inf

    def phase(self, phase: Phase, reason: str | None) -> None:
        if phase == "taking over":
            reason = self.status.reason  # why it is taken over; what it waited for may take as long again
        self.status = replace(self.status, phase=phase, reason=reason, heard=time.monotonic())
        if phase == "taking over":
            # Told only when it ends: an attempt that fails as the last one did is no news.
            self._metrics.takeover(self.partition)
        elif self._told != (phase, reason):
            self._told = phase, reason
            why = {"reason": reason} if reason else {}
            tell = log.warning if reason and phase in ("waiting", "stopped") else log.info
            tell("lane.phase", lane=self.partition, phase=phase, **why)

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
        was = self.status
        self.status = replace(was, changes=was.changes + len(changes), activation=activation, sweep_left=left)
        self._metrics.swept(users, Counter(change.kind for change in changes))
        if users and not left:
            log.info("lane.swept", lane=self.partition, activation=activation)

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
            unknown=len(batch.unknown),
            changes=Counter(change.kind for change in changes),
            seconds=seconds,
            latencies_s=[(now_ms - incoming.written_ms) / 1_000 for incoming in batch.events],
        )
        if batch.dead_letters:
            self._tell_letters(batch.dead_letters)
        if batch.unknown and not self._told_unknown:
            self._told_unknown = True
            cause = batch.unknown[0].cause
            log.warning(
                "lane.unknown_erasure",
                lane=self.partition,
                topic=cause.topic,
                partition=cause.partition,
                offset=cause.offset,
                reason="an erasure names a user of whom nothing is known: is its key the bare user id? More of them"
                " are counted in segue_unknown_erasures_total",
            )

    def _tell_letters(self, letters: Sequence[OutRecord]) -> None:
        """Log how many there are since the last line, and where the first of this batch came from.

        Neither key nor reason: both may hold what an event said.
        """
        self._untold_letters += len(letters)
        now = time.monotonic()
        if now - self._told_letters_at < _LETTERS_EVERY_S:
            return
        came = dict(letters[0].headers)
        log.warning(
            "lane.dead_letters",
            lane=self.partition,
            count=self._untold_letters,
            topic=came[TOPIC].decode(),
            partition=int(came[PARTITION]),
            offset=int(came[OFFSET]),
            reason="events cannot be applied: segue dead-letters list tells why",
        )
        self._untold_letters, self._told_letters_at = 0, now
