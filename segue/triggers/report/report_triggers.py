"""Reports on the triggers of a file: the ledger in Kafka beside the orders of a warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from segue.config.command_line import BadUsage
from segue.config.settings import Settings
from segue.config.trainer_extra import installed, open_warehouse
from segue.triggers.file.trigger_file import load_triggers
from segue.triggers.report.holdout_numbers import HoldoutReport
from segue.triggers.report.read_assignments import assignments_of, read_entries

DAYS = 28
"""So many days after a trigger acted on a user count, unless others are asked for."""


def report_triggers(settings: Settings, file: Path, warehouse: str, days: int) -> Iterator[HoldoutReport]:
    """Yield a report on each trigger with a holdout.

    Args:
        settings: name the Kafka, the topics and the warehouse's tables.
        file: the file of triggers.
        warehouse: where the orders are: a folder, a DuckDB file or a database URL.
        days: how many days after a trigger acted on a user count.

    Raises:
        BadUsage: no trigger has a holdout.
        NotInstalled: the packages that compare are not installed.
        BadTopics: there is no ledger.
        BadWarehouse: the warehouse cannot be read.
    """
    held = [each for each in load_triggers(file).triggers if each.holdout]
    if not held:
        raise BadUsage(
            f"no trigger of {file} has a holdout, so there is nobody to compare with: set holdout = 0.1"
        )
    with installed():
        from segue.triggers.report.holdout_report import report_on  # noqa: PLC0415 - heavy, not everywhere

    now = datetime.now(UTC)
    with closing(open_warehouse(warehouse, settings, now)) as opened:
        entries = read_entries(settings, {each.name for each in held})
        for trigger in held:
            yield report_on(
                trigger.name,
                trigger.holdout,
                assignments_of(trigger, entries.items()),
                opened,
                days=days,
                now=now,
                exclude_statuses=settings.exclude_statuses,
            )
