"""`segue replay`: what would have been decided?"""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.counted import counted
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
        str | None, typer.Option("--from", metavar="TIME", help="the events that Kafka got from then on")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="the events that Kafka got before")
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
        typer.Option(metavar="VERSION_OR_DIR", help="decide by this release; else by the current one"),
    ] = None,
    warehouse: BootstrapWarehouse = None,
    to_topic: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="write the changes to this topic, which is made if need be"),
    ] = None,
    as_json: Annotated[bool, flag("--json", "the differences as JSON")] = False,
) -> int | None:
    """Decide a part of the log once more, and show what differs from the live changes; nothing else changes.

    Users are as the log left them before the part; without one it is the whole log. With another release it
    shows what that one would have decided.
    """
    from segue.refill.replay_window import Wanted, check_wanted, places_option
    from segue.refill.run_replay import ReplayRun
    from segue.refill.warehouse_facts import warehouse_facts

    wanted = Wanted(
        time_option("--from", since),
        time_option("--to", until),
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
    told = {
        "release": done.version,
        "live_releases": sorted(done.live_versions),
        "events": done.events,
        "users": len(done.users),
        "changes": done.changes,
        "live_changes": done.live_changes,
        "undecided_before": done.undecided_before,
        "refused": list(done.refusals),
        "differing": [one for one in done.users if not (one.ends_alike and one.same_way)],
    }
    write_json(told)


def _say(done: Replayed, topic: str | None, min_margin: float) -> None:
    elsewhere = [one for one in done.users if not one.ends_alike]
    for one in elsewhere:
        write(one.user_id, f"live {one.live_segment}", f"replay {one.replayed_segment}")
    another_way = sum(one.ends_alike and not one.same_way for one in done.users)
    say(
        f"{counted(done.events, 'event')} of {counted(len(done.users), 'user')} by release {done.version}: {counted(done.changes, 'change')}"
        f"{f' to {topic}' if topic else ''}, live {done.live_changes:,}."
    )
    for line in refused_lines(done.refusals, "events"):
        warn(line)
    others = sorted(done.live_versions - {done.version})
    if others:
        say(f"Live, other releases decided too: {', '.join(others)}.")
    say(
        f"{counted(len(elsewhere), 'user')} {'ends' if len(elsewhere) == 1 else 'end'} in another segment; {another_way:,} in the same, on another way."
    )
    if another_way and not others:
        last = "" if min_margin else ", a user's last segment does not"
        say(
            "Between signups and orders Kafka fixes no order, and live it was another: changes on the way may"
            f" differ{last}."
        )
    if elsewhere and min_margin:
        say("With min_margin a segment depends on the way there, so the last one may differ, too.")
    if done.undecided_before:
        say(
            f"Of {counted(done.undecided_before, 'user')} the log does not tell the segment before: theirs begin anew."
        )
