"""`segue rebuild`: every user's state from the log, beside the workers."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Annotated

import msgspec
import typer

from segue.cli.command import command, flag
from segue.cli.terminal import progress, say, write
from segue.settings import Settings


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
        typer.Option(metavar="PREFIX", help="the fresh prefix to fill; else redis_prefix, if that is fresh"),
    ] = None,
    warehouse: Annotated[
        str | None,
        typer.Option(
            metavar="PATH_OR_URL", help="after a bootstrap: the warehouse that it took the users from"
        ),
    ] = None,
    as_json: Annotated[bool, flag("--json", "the counts as JSON, on standard output")] = False,
) -> int | None:
    """Fold the log into a fresh prefix of Redis, up to what the workers have committed, and decide nothing.

    Workers may go on meanwhile. Those that are started with the new redis_prefix go on from there. One that
    was interrupted is run again.
    """
    from segue.facts import warehouse_facts
    from segue.rebuild import rebuild as rebuilt

    prefix = into or settings.redis_prefix
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
        told = {
            "redis_prefix": prefix,
            "users": done.users,
            "records": done.records,
            "seconds": round(seconds, 3),
            "anew": done.anew,
        }
        write(msgspec.json.encode(told).decode())
        return None
    say(
        f"{done.users:,} users from {done.records:,} records are in Redis under {prefix}, in {seconds:.1f} s,"
        f" {done.records / seconds:,.0f} records a second."
    )
    if done.anew:
        say("A sweep of the workers decides every user again, under the settings of now.")
    if prefix != settings.redis_prefix:
        say(f'Next: set redis_prefix = "{prefix}" for workers and readers, and start the workers again.')
    return None
