"""Shows what triggers would have sent: a table for people, and the same numbers for programs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from rich.table import Table

from segue.rehearsal.count_webhooks import TriggerCounts

_TRIGGER = 16


def webhooks_table(
    runs: Mapping[str, Mapping[str, TriggerCounts]], since: datetime, until: datetime
) -> Table:
    """Return a table of the webhooks by trigger: all, and from one day on also by day.

    Args:
        runs: by the run's name, its webhooks by trigger; every run has the same triggers.
        since: the begin of the time.
        until: its end.
    """
    days = (until - since) / timedelta(days=1)
    by_day = days >= 1.0
    table = Table(box=None, padding=(0, 0, 0, 1), header_style="dim", pad_edge=False)
    table.add_column("webhooks", no_wrap=True)
    for name in runs:
        for column in (name, "a day", "busiest") if by_day else (name,):
            table.add_column(column, justify="right", no_wrap=True)
    for trigger in next(iter(runs.values())):
        cells = [text for run in runs.values() for text in _cells(run[trigger], days if by_day else None)]
        table.add_row(_short(trigger), *cells)
    return table


def _short(trigger: str) -> str:
    """Return a name that fits, with its end: names such as win_back_customers_es differ there."""
    return trigger if len(trigger) <= _TRIGGER else f"{trigger[:7]}…{trigger[-(_TRIGGER - 8) :]}"


def _cells(counts: TriggerCounts, days: float | None) -> tuple[str, ...]:
    sent = f"{counts.sent:,}"
    return (sent,) if days is None else (sent, f"{counts.sent / days:,.1f}", f"{counts.most:,}")


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
