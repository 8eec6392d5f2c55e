"""The board on which the lanes write what they do: for status pages and metrics."""

import threading
import time
from collections import Counter
from collections.abc import Sequence

import structlog
from msgspec.structs import replace

from schemas.changes import Change
from schemas.headers import TOPIC
from streamer.batch import Batch
from streamer.metrics import Metrics
from streamer.status import LaneStatus, Phase

log = structlog.get_logger("segue.lane")


class StatusBoard:
    """A :class:`streamer.lane_config.Watcher` that keeps each lane's newest status and counts it all."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._lanes: dict[int, LaneStatus] = {}
        self._lock = threading.Lock()

    def phase(self, partition: int, phase: Phase, reason: str | None) -> None:
        with self._lock:
            was = self._lanes.get(partition, LaneStatus(partition=partition, phase="stopped"))
            self._lanes[partition] = replace(was, phase=phase, reason=reason)
        if phase == "taking over":
            self._metrics.takeover(partition)
        if (was.phase, was.reason) != (phase, reason):
            log.info("lane.phase", lane=partition, phase=phase, **({"reason": reason} if reason else {}))

    def reached(self, partition: int, positions: dict[str, int], lag: dict[str, int]) -> None:
        with self._lock:
            self._lanes[partition] = replace(self._lanes[partition], positions=positions, lag=lag)

    def batch(
        self, partition: int, batch: Batch, changes: Sequence[Change], seconds: dict[str, float]
    ) -> None:
        with self._lock:
            was = self._lanes[partition]
            self._lanes[partition] = replace(
                was,
                events=was.events + len(batch.events),
                changes=was.changes + len(changes),
                dead_letters=was.dead_letters + len(batch.dead_letters),
                last_progress=time.monotonic(),
            )
        now_ms = time.time() * 1_000
        self._metrics.batch(
            events=Counter(incoming.cause.topic or "" for incoming in batch.events),
            dead_letters=Counter(dict(letter.headers)[TOPIC].decode() for letter in batch.dead_letters),
            changes=Counter(change.kind for change in changes),
            seconds=seconds,
            latencies_s=[(now_ms - incoming.written_ms) / 1_000 for incoming in batch.events],
        )

    def forget(self, partition: int) -> None:
        """The lane is no longer this worker's."""
        with self._lock:
            self._lanes.pop(partition, None)

    def statuses(self) -> list[LaneStatus]:
        """The lanes of this worker, by number."""
        with self._lock:
            return [self._lanes[partition] for partition in sorted(self._lanes)]
