"""Describes the facts that a command's fold refused."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from schemas.counted import counted

if TYPE_CHECKING:
    from streamer.batch.refusals import Refusals

_NAMED = 10


def refused_lines(refusals: Refusals, where: str, *, every: bool = False) -> Iterator[str]:
    """Yield sentences for people; no sentences if no fact was refused.

    Args:
        refusals: the refused facts by user.
        where: the word for the facts: "events" or "facts of the warehouse".
        every: name every user, not only the first few.
    """
    users = list(refusals)
    if not users:
        return
    yield (
        f"{refusals.facts:,} {where} cannot be applied and are left out,"
        " as workers make dead letters of them."
    )
    for refusal in islice(users, None if every else _NAMED):
        yield f"User {refusal.user_id}: {refusal.facts:,} left out; the first, {refusal.reason}."
    if not every and len(users) > _NAMED:
        yield f"And {counted(len(users) - _NAMED, 'more user')}; --json names them all."
