"""A worker whose lanes only write down what is asked of them: run as a process, to kill and to pause.

Arguments: its name, the file to append JSON lines to, and the settings of `WorkerConfig` as JSON. Times are
of the machine's monotonic clock, so that lines of several processes can be compared.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path

from schemas.topics import Topics
from streamer.app import build_worker, run_worker
from streamer.config import WorkerConfig
from streamer.logs import set_up_logs
from streamer.status import LaneStatus

_CLOSING_S = float(os.environ.get("CLOSING_S", "0.3"))
_ASK_EVERY_S = 0.1


class RecordingLanes:
    """Closes slowly, as real lanes do, so that a group that did not wait would be seen."""

    def __init__(self, name: str, path: Path) -> None:
        self._name = name
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._open: frozenset[int] = frozenset()

    def record(self, what: str, lanes: object) -> None:
        line = {"at": time.monotonic(), "worker": self._name, "what": what, "lanes": lanes}
        os.write(self._file, json.dumps(line).encode() + b"\n")

    def own(self, partitions: frozenset[int]) -> None:
        self.record("own", sorted(partitions))
        self._open |= partitions

    def disown(self, partitions: frozenset[int]) -> None:
        threading.Event().wait(_CLOSING_S)
        self._open -= partitions
        self.record("closed", sorted(partitions))

    def statuses(self) -> list[LaneStatus]:
        return [LaneStatus(partition=lane, phase="live") for lane in sorted(self._open)]

    def failure(self) -> Exception | None:
        return None


class NoReleases:
    def current(self) -> None:
        return None

    def problem(self) -> str | None:
        return "no release: run `segue publish`"


def main(name: str, path: Path, settings: dict[str, object]) -> int:
    set_up_logs(os.environ.get("LOG", "info"))
    config = WorkerConfig(**{**settings, "topics": Topics(str(settings["topics"]))})  # type: ignore[arg-type]
    lanes = RecordingLanes(name, path)
    worker = build_worker(config, lanes, NoReleases())

    def ask() -> None:
        """What a fenced lane does; lane 0 stands for all."""
        while True:
            lanes.record("still_ours", [lane for lane in range(config.partitions) if worker.still_ours(lane)])
            threading.Event().wait(_ASK_EVERY_S)

    threading.Thread(target=ask, daemon=True).start()
    lanes.record("started", [])
    code = run_worker(worker)
    lanes.record("ended", [])
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3])))
