"""Shows what triggers would have sent: a table for people, and the same numbers for programs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rich.table import Table

from segue.rehearsal.count_webhooks import TriggerCounts

_TRIGGER = 16


def webhooks_table(
    runs: Mapping[str, Mapping[str, TriggerCounts]], since: datetime, until: datetime
) -> Table:
    """Return a table of the webhooks by trigger: all, by day on average, and on the busiest day.

    Args:
        runs: by the run's name, its webhooks by trigger; every run has the same triggers.
        since: the begin of the time.
        until: its end.
    """
    days = max(1.0, (until - since).total_seconds() / 86_400)
    table = Table(box=None, padding=(0, 0, 0, 1), header_style="dim", pad_edge=False)
    table.add_column("webhooks", no_wrap=True)
    for name in runs:
        for column in (name, "a day", "busiest"):
            table.add_column(column, justify="right", no_wrap=True)
    for trigger in next(iter(runs.values())):
        cells = [
            text
            for counts in (run[trigger] for run in runs.values())
            for text in (f"{counts.sent:,}", f"{counts.sent / days:,.1f}", f"{counts.most:,}")
        ]
        table.add_row(trigger if len(trigger) <= _TRIGGER else f"{trigger[: _TRIGGER - 1]}…", *cells)
    return table


def webhooks_json(counts: Mapping[str, TriggerCounts]) -> dict[str, Any]:
    """Return the webhooks by trigger for programs: all, by day, and the changes by outcome."""
    return {
        name: {
            "sent": each.sent,
            "by_day": dict(sorted((day, sent) for day, sent in each.by_day.items() if sent)),
            "outcomes": dict(sorted(each.outcomes.items())),
        }
        for name, each in counts.items()
    }
