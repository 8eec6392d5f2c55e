"""`segue` with its log at debug level: that level includes the log of libraries."""

from __future__ import annotations

import sys
from typing import Any
from unittest.mock import patch

import segue.prepare_worker
from segue.cli.main import run
from segue.interruption import run_guarded
from streamer.status.worker_logs import set_up_logs


def at_debug(_level: str = "info", **options: Any) -> None:
    """Set up the log at debug level; ignore the level asked for."""
    set_up_logs("debug", **options)


if __name__ == "__main__":
    for module in (segue.prepare_worker, sys.modules[run.__module__]):
        patch.object(module, "set_up_logs", at_debug).start()
    run_guarded(lambda: run(sys.argv[1:]))
