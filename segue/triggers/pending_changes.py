"""Changes of a lane that are decided and not committed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec import Struct

from schemas.outputs.segment_change import Change
from segue.triggers.policy import Decided, Entry, User
from streamer.interfaces.lane_interfaces import Record


class Pending(Struct):
    """A change that is decided and not committed.

    Attributes:
        record: the change's record.
        change: the change.
        at: the time that the rules were asked with.
        decided: what the triggers do with it.
        waits: the triggers whose webhook has not ended.
        given_up: by trigger, why its webhook becomes a dead letter.
    """

    record: Record
    change: Change
    at: datetime
    decided: Decided
    waits: set[str]
    given_up: dict[str, str]


class Live(Struct):
    """A user whose newest changes are not committed yet, as they will be; ``pending`` counts them."""

    user: User | None
    entries: dict[str, Entry]
    pending: int = 0


def finished(pending: Iterable[Pending]) -> Iterator[Pending]:
    """Yield the first changes, up to the first whose webhooks have not all ended."""
    for each in pending:
        if each.waits:
            return
        yield each
