"""`segue doctor`: check that everything is there and fits together."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from rich.table import Table
from rich.text import Text

from segue.cli.command import command, flag
from segue.config.settings import Settings
from segue.show.terminal import data, write_json

if TYPE_CHECKING:
    from segue.doctor.check import Check

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "bold red"}


@command(
    "kafka",
    "redis",
    "redis_prefix",
    "topic_prefix",
    "group",
    "partitioner",
    "exclude_statuses",
    example="segue doctor --json",
)
def doctor(
    settings: Settings,
    as_json: Annotated[bool, flag("--json", "the checks as JSON")] = False,
) -> int:
    """Check Kafka, topics, release, lag, triggers, flow, join, Redis, the lanes' places, and drift.

    Each check is ok, warn or fail, and says what to do. The exit code is 1 if a check fails, else 0.
    """
    from segue.doctor.check import FAIL, worst
    from segue.doctor.next_steps import next_steps
    from segue.doctor.on_drift import check_drift
    from segue.doctor.on_flow import check_flow
    from segue.doctor.on_join import check_join
    from segue.doctor.on_kafka import check_kafka
    from segue.doctor.on_redis import check_redis
    from segue.doctor.on_triggers import check_triggers
    from segue.doctor.versions import versions

    checks, lanes, model = check_kafka(settings)
    if lanes is not None:
        checks += check_triggers(settings, lanes)
        checks += check_flow(settings, lanes)
        checks += check_join(settings)
    checks += check_redis(settings, lanes, model)
    checks += check_drift(settings, lanes, model)
    checks = [*checks, *versions(), *next_steps(checks, released=model is not None)]
    if as_json:
        write_json({"state": worst(checks), "checks": checks})
    else:
        data.print(_table(checks))
    return 1 if worst(checks) == FAIL else 0


def _table(checks: list[Check]) -> Table:
    rows = Table.grid(padding=(0, 2))
    rows.add_column()
    rows.add_column(style="bold", no_wrap=True)
    rows.add_column(overflow="fold")
    for check in checks:
        text = Text(check.text)
        if check.fix is not None:
            text.append(f"\n→ {check.fix}", style="italic")
        rows.add_row(Text(check.state, style=_COLOURS[check.state]), check.name, text)
    return rows
