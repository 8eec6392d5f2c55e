"""A worker with lanes that only record their calls: a process that a test can kill and pause.

Arguments: the worker's name, the file to append JSON lines to, and a JSON object. The object has the
settings of `WorkerConfig`; `topics`, the prefix of the topics; `inputs`, to take only some of the inputs; and
`nameless`, the number of first answers of Kafka that name no broker. Times are from the machine's monotonic
clock, so lines of several processes are comparable.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from aiokafka.cluster import ClusterMetadata
from aiokafka.errors import MetadataEmptyBrokerList

from schemas.topics import Topics
from streamer.status.worker_logs import set_up_logs
from streamer.status.worker_status import LaneStatus
from streamer.worker.worker_app import Worker, build_worker, run_worker
from streamer.worker.worker_config import WorkerConfig

# Lanes close slowly: a group that does not wait for them then shows overlaps. Closing lasts until
# `keep_asking` has asked twice for the owner of the lanes, up to the maximum.
_CLOSING_S = 0.3
_MOST_CLOSING_S = 2.0
_ASK_EVERY_S = 0.1


class RecordingLanes:
    def __init__(self, name: str, path: Path) -> None:
        self._name = name
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._open: frozenset[int] = frozenset()
        self._answers = 0

    def record(self, what: str, lanes: list[int]) -> None:
        line = {"at": time.monotonic(), "worker": self._name, "what": what, "lanes": lanes}
        os.write(self._file, json.dumps(line).encode() + b"\n")
        self._answers += what == "still ours"

    def own(self, partitions: frozenset[int]) -> None:
        self.record("own", sorted(partitions))
        self._open |= partitions

    def disown(self, partitions: frozenset[int]) -> None:
        began, answers = time.monotonic(), self._answers
        threading.Event().wait(_CLOSING_S)
        while self._answers < answers + 2 and time.monotonic() < began + _MOST_CLOSING_S:
            threading.Event().wait(0.01)
        self._open -= partitions
        self.record("closed", sorted(partitions))

    def statuses(self) -> list[LaneStatus]:
        return [LaneStatus(partition=lane, phase="live") for lane in sorted(self._open)]

    def ended(self) -> list[str]:
        return []

    def failure(self) -> Exception | None:
        return None


class NoReleases:
    def current(self) -> None:
        return None

    def problem(self) -> str | None:
        return "no release: run `segue publish`"

    def ended(self) -> list[str]:
        return []


def keep_asking(worker: Worker, lanes: RecordingLanes, partitions: int) -> None:
    """Ask for the owner of every lane, as a fenced lane does, and record what Faust has fetched."""
    while True:
        ours = [lane for lane in range(partitions) if worker.still_ours(lane)]
        lanes.record("still ours", ours)
        if ours:
            consumer = worker.app.consumer
            assigned = consumer.assignment()
            lanes.record("assigned", sorted({tp.partition for tp in assigned}))
            # A consumer learns the end of a partition from a fetch.
            lanes.record("fetched", [tp.partition for tp in assigned if consumer.highwater(tp)])
        threading.Event().wait(_ASK_EVERY_S)


def name_no_broker(times: int) -> None:
    """Let Kafka's first answers name no broker, as a broker that has just started does."""
    right = ClusterMetadata.update_metadata
    left = [None] * times

    def update_metadata(cluster: ClusterMetadata, metadata: Any) -> None:
        if left:
            left.pop()
            cluster.failed_update(MetadataEmptyBrokerList(metadata))
        else:
            right(cluster, metadata)

    ClusterMetadata.update_metadata = update_metadata


def main(name: str, path: Path, settings: dict[str, Any]) -> int:
    set_up_logs()
    inputs = settings.pop("inputs", None)
    name_no_broker(settings.pop("nameless", 0))
    config = WorkerConfig(**{**settings, "topics": Topics(settings["topics"])})
    lanes = RecordingLanes(name, path)
    worker = build_worker(config, lanes, NoReleases())
    if inputs is not None:
        worker.app.inputs = tuple(inputs)
    threading.Thread(target=keep_asking, args=(worker, lanes, config.partitions), daemon=True).start()
    lanes.record("started", [])
    code = run_worker(worker)
    lanes.record("ended", [])
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3])))
