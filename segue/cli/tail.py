"""`segue tail`: show the changes live."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from segue.cli.command import command, flag
from segue.config.command_line import bad_option
from segue.config.settings import Settings
from segue.show.terminal import data, say, write_json


@command("kafka", "topic_prefix", example="segue tail --from-beginning --max 10")
def tail(
    settings: Settings,
    user: Annotated[str | None, typer.Option(metavar="ID", help="only the changes of this user")] = None,
    from_beginning: Annotated[
        bool, flag("--from-beginning", "start with the oldest changes in Kafka")
    ] = False,
    most: Annotated[int | None, typer.Option("--max", metavar="N", help="end after N changes")] = None,
    as_json: Annotated[bool, flag("--json", "each change as one line of JSON, as in Kafka")] = False,
) -> int | None:
    """Show the changes as they come, until ctrl-C: the user, both segments, the cause, and similar users.

    A user's changes come in order. With --from-beginning, all old changes of one lane may come before those
    of another lane: lanes are not merged by time.
    """
    if most is not None and most < 1:
        raise bad_option("--max", most, "give at least 1")
    from schemas.outputs.wire import encode_change
    from segue.connect.read_topics import CommittedReader
    from segue.look.follow_changes import changes
    from segue.show.change_text import change_text

    topic = settings.topics.changes
    reader = CommittedReader(settings.kafka_client, [topic], from_beginning=from_beginning)
    try:
        if not as_json:
            say(f"Changes on {topic} at {settings.kafka}; ctrl-C ends.")
        shown = 0
        for change in changes(reader):
            if user is not None and change.user_id != user:
                continue
            if as_json:
                write_json(msgspec.Raw(encode_change(change)))
            else:
                data.print(change_text(change))
            shown += 1
            if shown == most:
                break
    finally:
        reader.close()
    return None
