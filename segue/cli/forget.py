"""`segue forget`: erase a user."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

from datetime import UTC, datetime
from math import inf
from typing import Annotated

import typer

from segue.cli.command import command, flag
from segue.config.command_line import bad_option
from segue.config.settings import Settings
from segue.show.terminal import say, write_json


@command(
    "kafka",
    "topic_prefix",
    "partitioner",
    "redis",
    "redis_prefix",
    example="segue forget 7341 --wait 30",
)
def forget(
    settings: Settings,
    user_id: Annotated[str, typer.Argument(metavar="ID", help="the user's id")],
    wait: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="wait up to this long until a worker has applied the erasure"),
    ] = None,
    as_json: Annotated[bool, flag("--json", "the erasure as JSON, on standard output")] = False,
) -> int | None:
    """Erase a user: facts with a time up to now never count again, even if they arrive later.

    It sends an event, and a worker applies the event. Without --wait it ends when Kafka has the event. An
    unknown user can be erased, too, and a user can be erased more than once.
    """
    if wait is not None and not 0 < wait < inf:
        raise bad_option("--wait", wait, "give seconds, above 0")
    from segue.events.erase_user import erase, is_unknown, wait_until_applied

    unknown = wait is not None and is_unknown(settings, user_id)
    erasure = erase(settings, user_id, datetime.now(UTC))
    fields = erasure.as_json()
    if not as_json:
        say(
            f"The erasure of user {erasure.user_id!r} is on {erasure.topic}, partition {erasure.partition},"
            f" offset {erasure.offset}."
        )
    if wait is not None:
        gone = wait_until_applied(settings, erasure, wait)
        fields |= {"gone": gone, "was_unknown": unknown}
        if not as_json:
            say(
                "It is applied. When it was sent, Redis knew no user of this id: check its spelling and case."
                if gone and unknown
                else "It is applied, and the user is gone."
                if gone
                else "It is applied; facts after it still count."
            )
    if as_json:
        write_json(fields)
    return None
