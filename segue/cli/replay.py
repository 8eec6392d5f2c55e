"""`segue replay`: decide a part of the log again, and compare with the live changes."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.counted import counted
from schemas.days import zone_of
from segue.cli.command import BootstrapWarehouse, command, flag
from segue.config.settings import Settings
from segue.config.time_options import time_option
from segue.show.refused_text import refused_lines
from segue.show.terminal import progress, say, warn, write, write_json

if TYPE_CHECKING:
    from segue.events.send_events import Outgoing
    from segue.refill.run_replay import Replayed, ReplayRun


@command(
    "kafka",
    "topic_prefix",
    "group",
    "partitioner",
    "replication_factor",
    example="segue replay --from 2024-12-01 --release 2ff907b8a07b",
)
def replay(
    settings: Settings,
    since: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="events that Kafka got at or after this time")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="events that Kafka got before this time")
    ] = None,
    from_offsets: Annotated[
        list[str] | None,
        typer.Option(metavar="LANE:SIGNUPS:ORDERS", help="a lane's first offsets, as in cause.positions"),
    ] = None,
    to_offsets: Annotated[
        list[str] | None,
        typer.Option(metavar="LANE:SIGNUPS:ORDERS", help="the offsets after a lane's last events"),
    ] = None,
    user: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="only this user; may be given more than once")
    ] = None,
    release: Annotated[
        str | None,
        typer.Option(metavar="VERSION_OR_DIR", help="decide by this release; unset: by the current release"),
    ] = None,
    warehouse: BootstrapWarehouse = None,
    to_topic: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="write the changes to this topic; a missing topic is created"),
    ] = None,
    as_json: Annotated[bool, flag("--json", "the differences as JSON")] = False,
) -> int | None:
    """Decide a part of the log again, and show the differences from the live changes; nothing else changes.

    At the start of the part, users have the states from the log before it. Without options the part is the
    whole log. With --release it shows what another release would have decided.
    """
    from segue.refill.replay_window import Wanted, check_wanted, places_option
    from segue.refill.run_replay import ReplayRun
    from segue.refill.warehouse_facts import warehouse_facts

    zone = zone_of(settings.time_zone)
    wanted = Wanted(
        time_option("--from", since, zone),
        time_option("--to", until, zone),
        places_option("--from-offsets", from_offsets),
        places_option("--to-offsets", to_offsets),
    )
    check_wanted(wanted)
    with ExitStack() as stack:
        facts_as_of = None if warehouse is None else warehouse_facts(stack, warehouse, settings)
        bar = stack.enter_context(progress())
        task = bar.add_task("Replaying", note="")
        run = ReplayRun(
            settings,
            wanted,
            frozenset(user) if user else None,
            release,
            facts_as_of,
            lambda records: bar.update(task, note=f"{records:,} records read"),
        )
        if to_topic is None:
            for _ in run.changes():
                pass
        else:
            _into_topic(run, to_topic, settings)
    if as_json:
        _write(run.done)
    else:
        _say(run.done, to_topic, settings.min_margin)
    return None


def _into_topic(run: ReplayRun, topic: str, settings: Settings) -> None:
    from segue.connect.own_topic import prepare_own_topic
    from segue.events.send_events import Sender
    from segue.refill.run_replay import outgoing

    if prepare_own_topic(settings, "--to-topic", topic, run.partitions):
        say(f"Created the topic {topic}; {run.partitions} partitions.")

    def events() -> Iterator[Outgoing]:
        for change in run.changes():
            yield outgoing(change, topic, settings)

    Sender(settings.kafka_client, settings.partitioner).send(events())


def _write(done: Replayed) -> None:
    fields = {
        "release": done.version,
        "live_releases": sorted(done.live_versions),
        "events": done.events,
        "users": len(done.users),
        "changes": done.changes,
        "live_changes": done.live_changes,
        "undecided_before": done.undecided_before,
        "refused": list(done.refusals),
        "differing": [user for user in done.users if not (user.ends_alike and user.same_way)],
    }
    write_json(fields)


def _say(done: Replayed, topic: str | None, min_margin: float) -> None:
    elsewhere = [user for user in done.users if not user.ends_alike]
    for user in elsewhere:
        write(user.user_id, f"live {user.live_segment}", f"replay {user.replayed_segment}")
    another_way = sum(user.ends_alike and not user.same_way for user in done.users)
    say(
        f"{counted(done.events, 'event')} of {counted(len(done.users), 'user')} by release {done.version}:"
        f" {counted(done.changes, 'change')} in the replay{f', to {topic}' if topic else ''},"
        f" {done.live_changes:,} live."
    )
    for line in refused_lines(done.refusals, "events"):
        warn(line)
    others = sorted(done.live_versions - {done.version})
    if others:
        say(f"Live, other releases decided too: {', '.join(others)}.")
    say(
        f"{counted(len(elsewhere), 'user')} {'ends' if len(elsewhere) == 1 else 'end'} in another segment;"
        f" {another_way:,} in the same segment after other changes."
    )
    if another_way and not others:
        last = "" if min_margin else "; a user's last segment is the same"
        say(
            "Kafka fixes no order between signups and orders, and live the order was different: changes"
            f" before the last may differ{last}."
        )
    if elsewhere and min_margin:
        say("With min_margin a segment depends on the segments before, so the last segment may differ, too.")
    if done.undecided_before:
        say(
            f"For {counted(done.undecided_before, 'user')} the log does not have the segment before this"
            " part: the replay starts them without a segment."
        )
