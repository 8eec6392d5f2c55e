"""`segue user`: show a user from Redis, and explain the segment."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

from typing import Annotated

import typer

from schemas.counted import counted
from segue.cli.command import command, flag
from segue.config.command_line import BadUsage
from segue.config.settings import Settings
from segue.show.terminal import data, say, warn, write, write_json


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
    if user_id is None:
        return _all(settings, as_json=as_json)
    return _one(user_id, settings, as_json=as_json)


def _all(settings: Settings, *, as_json: bool) -> int:
    from segue.connect.live_prefix import followed
    from segue.connect.redis_users import TIMEOUT_S, RedisUsers

    count = 0
    with RedisUsers(followed(settings, TIMEOUT_S)) as users:
        for card in users.all_cards():
            count += 1
            if as_json:
                write_json(card.as_json())
            else:
                missing = f", no {', '.join(card.missing)}" if card.missing else ""
                sure = f" (provisional{missing})" if card.provisional else ""
                write(str(card.user_id), str(card.segment), f"{card.segment_name}{sure}")
    if not as_json:
        say(f"{counted(count, 'user')}.")
    return 0


def _one(user_id: str, settings: Settings, *, as_json: bool) -> int:
    from segue.look.explain_user import explained_user, model_in_use
    from segue.show.user_card import card_text

    card, left_out = explained_user(user_id, settings, lambda: model_in_use(settings))
    if left_out is not None:
        warn(left_out)
    if as_json:
        write_json(card.as_json())
    else:
        data.print(card_text(card))
    return 0
