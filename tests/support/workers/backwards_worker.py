"""`segue worker` with a clock that runs backwards: every two seconds it jumps back an hour.

This script replaces Python's clock, the only clock of the worker's own code. librdkafka and Kafka keep their
clocks.
"""

from __future__ import annotations

import time
from datetime import datetime, tzinfo
from unittest.mock import patch

import segue.build_worker
from segue.cli import main

STEP_S = 2.0
BACK_S = 3_600.0

_began_s, _monotonic_s = time.time(), time.monotonic()


def now_s() -> float:
    """Return the wrong time."""
    steps, within_s = divmod(time.monotonic() - _monotonic_s, STEP_S)
    return _began_s + within_s - steps * BACK_S


class Backwards:
    """A replacement for `datetime`: the worker stamps changes with its time."""

    @staticmethod
    def now(tz: tzinfo) -> datetime:
        return datetime.fromtimestamp(now_s(), tz)


if __name__ == "__main__":
    time.time = now_s
    with patch.object(segue.build_worker, "datetime", Backwards):
        main()
