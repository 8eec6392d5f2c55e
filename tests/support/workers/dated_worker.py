"""`segue` on a day that a file names: the worker's clock has that date, and the present time of day.

The variable SEGUE_TEST_DAY has the path of the file. librdkafka and Kafka keep their clocks.
"""

from __future__ import annotations

import os
from datetime import date, datetime, tzinfo
from pathlib import Path
from unittest.mock import patch

import segue.build_worker
from segue.cli import main

DAY_FILE = "SEGUE_TEST_DAY"


class Dated:
    """A replacement for `datetime` with the date of the file."""

    @staticmethod
    def now(tz: tzinfo) -> datetime:
        day = date.fromisoformat(Path(os.environ[DAY_FILE]).read_text())
        return datetime.combine(day, datetime.now(tz).timetz())


def write_day(file: Path, day: date) -> None:
    """Set the date of the workers that read this file."""
    whole = file.with_suffix(".new")
    whole.write_text(day.isoformat())
    whole.rename(file)


if __name__ == "__main__":
    with patch.object(segue.build_worker, "datetime", Dated):
        main()
