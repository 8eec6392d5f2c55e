"""`segue ingest`: send events from files, or from the warehouse's tables."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from math import inf
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.days import zone_of
from segue.cli.command import command, flag
from segue.config.command_line import BadUsage, bad_option
from segue.config.settings import Settings
from segue.config.time_options import time_option
from segue.show.terminal import progress, say, warn, write_json

if TYPE_CHECKING:
    from segue.events.send_events import Outgoing, Sender, Sent


@command(
    "kafka",
    "topic_prefix",
    "partitions",
    "replication_factor",
    "partitioner",
    example="segue ingest --warehouse ./tables --since 2024-12-01 --rate 200",
)
def ingest(
    settings: Settings,
    files: Annotated[
        list[str] | None, typer.Argument(metavar="FILE…", help="files of JSON lines; - is the standard input")
    ] = None,
    warehouse: Annotated[
        str | None,
        typer.Option(
            metavar="PATH_OR_URL", help="a folder of Parquet or CSV files, DuckDB, or a database URL"
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="with --warehouse: only events at or after this time"),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="with --warehouse: only events before this time")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(metavar="N", help="events a second; unset: as fast as Kafka takes them")
    ] = None,
    as_json: Annotated[bool, flag("--json", "the counts as JSON, on standard output")] = False,
) -> int | None:
    """Send events, from files or from the warehouse's tables in time order.

    A line of a file is {"topic": "signups" or "orders", "key": the user id as text, "value": {…}}; a null
    value erases the user. The records get the current time, because Kafka would soon delete older records.
    """
    if bool(files) == bool(warehouse):
        raise BadUsage("name files of events, or --warehouse, and not both")
    if files and (since or until):
        raise BadUsage("--since and --until go with --warehouse: files are sent whole")
    if rate is not None and not 0 < rate < inf:
        raise bad_option("--rate", rate, "give events a second, above 0")
    if warehouse and settings.events:
        topic = next(iter(settings.events))
        raise BadUsage(
            f"--warehouse sends events in Segue's own form, and events.{topic} says that {topic} has another:"
            " fill the states by `segue bootstrap`, or take the setting out"
        )
    from segue.connect.kafka_access import prepare_topics
    from segue.events.send_events import Sender

    with ExitStack() as stack:
        events = (
            _of_warehouse(stack, warehouse, since, until, settings)
            if warehouse
            else _of_files(files or [], settings)
        )
        prepare_topics(settings, say)
        sender = Sender(settings.kafka_client, settings.partitioner, rate=rate)
        bar = stack.enter_context(progress())
        task = bar.add_task("Sending", note="")
        try:
            sent = sender.send(
                events, lambda count: bar.update(task, completed=count, note=f"{count:,} events")
            )
        except BaseException as error:
            if sender.count or isinstance(error, KeyboardInterrupt):
                say(_cut_short(sender, of_files=bool(files)))
            raise
    _report(sent, settings, as_json=as_json)
    return None


def _of_files(files: list[str], settings: Settings) -> Iterable[Outgoing]:
    from segue.events.ingest_lines import check_files, read_files

    check_files(files)
    return read_files(files, settings.topics, sys.stdin.buffer)


def _of_warehouse(
    stack: ExitStack, name: str, since: str | None, until: str | None, settings: Settings
) -> Iterator[Outgoing]:
    from segue.config.trainer_extra import open_warehouse
    from segue.events.warehouse_events import outgoing

    zone = zone_of(settings.time_zone)
    begin, end = time_option("--since", since, zone), time_option("--until", until, zone)
    tables = stack.enter_context(open_warehouse(name, settings, datetime.now(UTC)))
    for note in tables.notes(end):
        warn(note)
    return outgoing(tables.events(as_of=end, since=begin), settings.topics)


def _report(sent: Sent, settings: Settings, *, as_json: bool) -> None:
    signups, orders = (sent.by_topic.get(topic, 0) for topic in settings.topics.sources)
    if as_json:
        fields = {
            "events": sent.events,
            "signups": signups,
            "orders": orders,
            "seconds": round(sent.seconds, 3),
            "per_second": round(sent.per_second, 1),
        }
        write_json(fields)
        return
    say(
        f"Sent {_events(sent.events)} ({signups:,} on {settings.topics.signups}, {orders:,} on"
        f" {settings.topics.orders}) in {sent.seconds:.1f} s, {sent.per_second:,.0f} a second."
    )


def _cut_short(sender: Sender, *, of_files: bool) -> str:
    """Return a sentence about the sent events, and how to send the rest."""
    sent = f"Sent {_events(sender.count)}, and no more."
    if sender.last is not None:
        sent = f"Sent {_events(sender.count)}, up to {sender.last.origin}."
    if of_files:  # an erasure without a time, sent again, would also erase the facts in between
        return f"{sent} To go on, send the lines after it." if sender.last is not None else sent
    return f"{sent} Run it again: an event that is sent twice counts once."


def _events(count: int) -> str:
    return "1 event" if count == 1 else f"{count:,} events"
