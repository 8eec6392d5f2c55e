"""The warehouse's facts, for a command that folds events that the log no longer holds."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from datetime import UTC, datetime

from schemas import times
from segue.config.settings import Settings
from segue.config.trainer_extra import open_warehouse
from segue.refill.lane_past import FactsAsOf
from streamer.refill.bootstrap_lanes import Fact


def warehouse_facts(stack: ExitStack, name: str, settings: Settings) -> FactsAsOf:
    """Open a warehouse until the stack closes; the errors are those of :func:`open_warehouse`."""
    tables = stack.enter_context(open_warehouse(name, settings, datetime.now(UTC)))

    def facts(as_of: str) -> Iterable[Fact]:
        return tables.events(as_of=times.parse(as_of), ordered="user")

    return facts
