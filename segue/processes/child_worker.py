"""One process of several: `python -m segue.processes.child_worker NUMBER`; its input is the parent's pipe."""

# ruff: noqa: PLC0415 - the imports take half a second, and SIGTERM works meanwhile

from __future__ import annotations

import signal
import sys
from multiprocessing.connection import Connection

from segue.interruption import run_guarded


def _run() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        return _work(int(sys.argv[1]), Connection(sys.stdin.fileno()))
    except SystemExit as end:
        return int(end.code or 0)


def _work(number: int, parent: Connection) -> int:
    from segue.build_worker import work
    from segue.processes.child_pages import ChildPages
    from streamer.status.worker_logs import set_up_logs
    from streamer.worker.process_part import ProcessPart
    from streamer.worker.worker_app import log_failure

    settings, partitions = parent.recv()
    set_up_logs(json=settings.log_format == "json", process=number)
    try:
        return work(settings, ProcessPart(partitions, ChildPages(parent).show))
    except Exception as error:  # noqa: BLE001 - the only place that catches unexpected errors
        return log_failure(error)


if __name__ == "__main__":
    run_guarded(_run)
