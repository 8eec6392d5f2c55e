"""`segue tail`: show the changes live."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

from typing import Annotated, get_args

import msgspec
import typer

from segue.cli.command import command, flag
from segue.config.command_line import bad_option, options
from segue.config.settings import Settings
from segue.show.terminal import data, say, write_json

_TAKE_S = 0.2


@command("kafka", "topic_prefix", example="segue tail --from-beginning --max 10")
def tail(
    settings: Settings,
    user: Annotated[str | None, typer.Option(metavar="ID", help="only the changes of this user")] = None,
    segment: Annotated[
        str | None,
        typer.Option(metavar="NUMBER_OR_NAME", help="only users who enter, leave or stay in this segment"),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(metavar="KIND", help="only moved, confirmed, unconfirmed or erased changes"),
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="go on where this consumer group is, and keep how far; not a group of Segue's own",
        ),
    ] = None,
    from_beginning: Annotated[
        bool, flag("--from-beginning", "start with the oldest changes in Kafka; with --group, the first time")
    ] = False,
    most: Annotated[int | None, typer.Option("--max", metavar="N", help="end after N changes")] = None,
    as_json: Annotated[bool, flag("--json", "each change as one line of JSON, as in Kafka")] = False,
) -> int | None:
    """Show the changes as they come, until ctrl-C: the user, both segments, the cause, and similar users.

    A user's changes come in order. With --from-beginning, all old changes of one lane may come before those
    of another lane: lanes are not merged by time.
    """
    from schemas.outputs.segment_change import ChangeKind
    from schemas.outputs.wire import encode_change
    from segue.interruption import raise_lost
    from segue.show.change_text import change_text
    from segue.subscribe import change_feed
    from segue.subscribe.subscription import Subscription

    kinds = (*get_args(ChangeKind), "erased")
    if most is not None and most < 1:
        raise bad_option("--max", most, "give at least 1")
    if kind is not None and kind not in kinds:
        raise bad_option("--kind", kind, f"give {', '.join(kinds[:-1])} or {kinds[-1]}")

    with options("segment", "group"):
        feed = change_feed.ChangeFeed(
            Subscription(
                settings.kafka,
                topic_prefix=settings.topic_prefix,
                kafka_options=settings.kafka_options,
                group=group,
                start="oldest" if from_beginning else "new",
                segment=_segment(segment),
                provisional=True,
                workers_group=settings.group,
            ),
            say,
        )
    try:
        if not as_json:
            say(f"Changes on {settings.topics.changes} at {settings.kafka}; ctrl-C ends.")
        shown = 0
        while most is None or shown < most:
            change = feed.take(_TAKE_S)
            raise_lost()
            if (
                change is None
                or (user is not None and change.user_id != user)
                or kind not in {None, change.kind}
            ):
                continue
            if as_json:
                write_json(msgspec.Raw(encode_change(change)))
            else:
                data.print(change_text(change))
            feed.handled()
            shown += 1
    finally:
        feed.close()
    return None


def _segment(text: str | None) -> int | str | None:
    """Return a segment's number, or its name; no number has more digits than 64 bits have."""
    return int(text) if text is not None and text.isdecimal() and len(text) < 20 else text
