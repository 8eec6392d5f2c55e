"""`segue rebuild`: compute every user's state from the log again, while workers run."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Annotated

import typer

from schemas.counted import counted
from segue.cli.command import BootstrapWarehouse, command, flag
from segue.config.command_line import BadUsage
from segue.config.settings import Settings
from segue.show.refused_text import refused_lines
from segue.show.terminal import progress, say, warn, write_json


@command(
    "kafka",
    "topic_prefix",
    "redis",
    "redis_prefix",
    "group",
    "partitioner",
    "exclude_statuses",
    "max_batch",
    example="segue rebuild --into segue-2:",
)
def rebuild(
    settings: Settings,
    into: Annotated[
        str | None,
        typer.Option(
            metavar="PREFIX", help="the unused prefix to fill; unset: redis_prefix, if it is unused"
        ),
    ] = None,
    warehouse: BootstrapWarehouse = None,
    switch: Annotated[
        bool, flag("--switch", "only move the lanes to the filled prefix; the workers follow")
    ] = False,
    drop: Annotated[
        bool, flag("--drop", "only delete the states under a prefix that is no longer used")
    ] = False,
    as_json: Annotated[bool, flag("--json", "the counts as JSON, on standard output")] = False,
) -> int | None:
    """Fold the log into an unused prefix of Redis, up to the workers' committed offsets.

    A rebuild decides no user, and workers may run meanwhile. With --switch the workers then move to the new
    prefix, lane by lane, and add the events since the rebuild. If a rebuild was interrupted, run it again.
    """
    if switch or drop:
        if into is None or into == settings.redis_prefix or warehouse is not None or switch == drop:
            raise BadUsage(
                "use either --switch or --drop, with --into and a prefix other than redis_prefix,"
                " and without --warehouse"
            )
        act = _switch if switch else _drop
        act(settings, into, as_json=as_json)
        return None
    from segue.refill.run_rebuild import rebuild as rebuilt
    from segue.refill.warehouse_facts import warehouse_facts

    prefix = settings.redis_prefix if into is None else into
    began = time.monotonic()
    with ExitStack() as stack:
        facts_as_of = None if warehouse is None else warehouse_facts(stack, warehouse, settings)
        bar = stack.enter_context(progress())
        task = bar.add_task("Rebuilding", note="")
        done = rebuilt(
            settings,
            prefix,
            facts_as_of,
            say,
            lambda records, users: bar.update(
                task, note=f"{records:,} records read, {users:,} users written"
            ),
        )
    seconds = time.monotonic() - began
    if as_json:
        fields = {
            "redis_prefix": prefix,
            "users": done.users,
            "records": done.records,
            "seconds": round(seconds, 3),
            "anew": done.anew,
            "refused": list(done.refusals),
        }
        write_json(fields)
        return None
    say(
        f"{counted(done.users, 'user')} from {counted(done.records, 'record')} are in Redis under {prefix},"
        f" in {seconds:.1f} s, {done.records / seconds:,.0f} records a second."
    )
    for line in refused_lines(done.refusals, "events"):
        warn(line)
    if done.anew:
        say("The workers' sweep will decide every user again, with the current settings.")
    if prefix != settings.redis_prefix:
        # Workers with other settings cannot go on from these states, so no switch can move their lanes.
        then = (
            f"stop the workers, and start them with these settings and redis_prefix = {prefix}"
            if done.anew
            else f"segue rebuild --into {prefix} --switch"
        )
        say(f"Next: segue verify --redis-prefix {prefix}, then {then}")
    return None


def _switch(settings: Settings, into: str, *, as_json: bool) -> None:
    from segue.refill.run_rebuild import switch

    lanes = switch(settings, into)
    if as_json:
        write_json({"redis_prefix": into, "lanes": lanes})
        return
    count = "1 lane continues" if lanes == 1 else f"{lanes} lanes continue"
    say(
        f'{count} under {into}. Next: set redis_prefix = "{into}" for workers and all readers of Redis; then,'
        f" with that setting: segue rebuild --into {settings.redis_prefix} --drop"
    )


def _drop(settings: Settings, into: str, *, as_json: bool) -> None:
    from segue.connect.kafka_access import lanes_of
    from segue.refill.rebuild_lease import drop
    from segue.triggers.redis_copy import drop_copies

    drop(settings, into)
    drop_copies(settings.redis, lanes_of(settings), into)
    if as_json:
        write_json({"redis_prefix": into})
    else:
        say(f"The states under {into} are deleted.")
