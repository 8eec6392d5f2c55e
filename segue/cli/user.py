"""`segue user`: show a user from Redis, and explain the segment."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from schemas.counted import counted
from schemas.errors import SegueError
from segue.cli.command import command, flag
from segue.config.command_line import BadUsage
from segue.config.settings import Settings
from segue.show.terminal import data, say, warn, write, write_json

if TYPE_CHECKING:
    from segue.connect.redis_users import RedisUsers


@command(
    "redis",
    "redis_prefix",
    "kafka",
    "topic_prefix",
    "similar_users",
    example="segue user 7341",
)
def user(
    settings: Settings,
    user_id: Annotated[str | None, typer.Argument(metavar="ID", help="the user's id")] = None,
    every: Annotated[bool, flag("--all", "every user, in no order")] = False,
    as_json: Annotated[bool, flag("--json", "each user as one line of JSON")] = False,
) -> int | None:
    """Show a user from Redis: the segment, the reasons, and the users who are most similar now.

    Distance and margin are by the release in use, which is read from Kafka. If Kafka does not answer, they
    are left out, and a note says so.
    """
    if (user_id is None) != every:
        raise BadUsage("name one user's id, or --all, and not both")
    from segue.connect.live_prefix import followed
    from segue.connect.redis_users import TIMEOUT_S, RedisUsers

    settings = followed(settings, TIMEOUT_S)
    with RedisUsers(settings) as users:
        if every:
            return _all(users, as_json=as_json)
        assert user_id is not None
        return _one(users, user_id, settings, as_json=as_json)


def _all(users: RedisUsers, *, as_json: bool) -> int:
    count = 0
    for card in users.all_cards():
        count += 1
        if as_json:
            write_json(card.as_json())
        else:
            sure = f" (provisional, no {', '.join(card.missing)})" if card.provisional else ""
            write(str(card.user_id), str(card.segment), f"{card.segment_name}{sure}")
    if not as_json:
        say(f"{counted(count, 'user')}.")
    return 0


def _one(users: RedisUsers, user_id: str, settings: Settings, *, as_json: bool) -> int:
    from dataclasses import replace

    from segue.look.explain_user import explain
    from segue.show.user_card import card_text

    card = users.card(user_id)
    if card is None:
        raise SegueError(
            f"user {user_id!r} is not in Redis at {settings.redis_address} under the prefix"
            f" {settings.redis_prefix!r}: no worker has applied an event of this user, or the user was erased"
        )
    card, left_out = explain(card, settings)
    card = replace(card, history=users.history(user_id))
    if left_out is not None:
        warn(left_out)
    if as_json:
        write_json(card.as_json())
    else:
        data.print(card_text(card))
    return 0
