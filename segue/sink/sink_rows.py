"""What a record of ``segment-changes`` or ``user-segments`` means for the tables. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec
from msgspec import Struct

from schemas import times
from schemas.outputs.headers import ERASED_AT, POSITIONS, Headers
from schemas.outputs.segment_change import UserErasedChange, change_id
from schemas.outputs.wire import decode_change


class Row(Struct, frozen=True):
    """A change as a row of the history. The names are the columns' names."""

    user_id: str
    sequence: int
    event_id: str
    kind: str
    previous_segment: int | None
    segment: int
    segment_name: str
    provisional: bool
    model_version: str
    activation: int
    cause: str
    occurred_at: datetime
    emitted_at: datetime


class Erased(Struct, frozen=True):
    """The user's rows go. ``at`` is the time of the erasure; None if the record does not have it."""

    user_id: str
    at: datetime | None


class Entry(Struct, frozen=True):
    """A record of one of the two topics.

    Attributes:
        at: the sum of the lane's next offsets in all inputs, just after the cause. A lane's sum never becomes
            smaller, so it orders the records of both topics.
        offset: the record's offset in its own topic.
        step: what to do.
    """

    at: int
    offset: int
    step: Row | Erased


class Batch(Struct, frozen=True):
    """What some records change together.

    Attributes:
        erasures: the users to erase, with the time of the last erasure (None: unknown).
        rows: the rows that remain after these erasures, by user and sequence.
    """

    erasures: dict[str, datetime | None]
    rows: dict[tuple[str, int], Row]


def read_entry(key: bytes | None, value: bytes | None, headers: Headers, offset: int) -> Entry | None:
    """Read a record of either topic; None for a record without a key and a value.

    Raises:
        BadChange: this version of Segue cannot read the value.
    """
    if value is None:
        if key is None:
            return None
        known = dict(headers)
        positions = msgspec.json.decode(known.get(POSITIONS) or b"{}", type=dict[str, int])
        at = known.get(ERASED_AT)
        erased = Erased(key.decode(), None if at is None else times.parse(at.decode()))
        return Entry(sum(positions.values()), offset, erased)
    change = decode_change(value)
    positions = change.cause.positions
    if isinstance(change, UserErasedChange):
        return Entry(sum(positions.values()), offset, Erased(change.user_id, change.occurred_at))
    row = Row(
        change.user_id,
        change.sequence,
        change.event_id,
        change.kind,
        change.previous_segment,
        change.segment,
        change.segment_name,
        change.provisional,
        change.model_version,
        change.activation,
        change.cause.type,
        change.occurred_at,
        change.emitted_at,
    )
    return Entry(sum(positions.values()), offset, row)


def batch_of(steps: Iterable[Row | Erased], prefix: str) -> Batch:
    """Fold records, in their order, into one batch.

    Most changes come twice, once from each topic. They have one ``event_id`` and give one row.

    Args:
        steps: the records' steps; those of one user are in their order.
        prefix: the setting ``topic_prefix``.
    """
    erasures: dict[str, datetime | None] = {}
    users: dict[str, dict[int, Row]] = {}
    for step in steps:
        rows = users.setdefault(step.user_id, {})
        if isinstance(step, Erased):
            erasures[step.user_id] = step.at
            users[step.user_id] = {
                sequence: row
                for sequence, row in rows.items()
                if outlives(prefix, row.user_id, sequence, row.event_id, step.at)
            }
            continue
        known = rows.get(step.sequence)
        if known is not None and known.event_id != step.event_id:
            rows.clear()  # the number was given again, so the user was erased in between
            erasures[step.user_id] = None
        rows[step.sequence] = step
    return Batch(
        erasures, {(row.user_id, row.sequence): row for rows in users.values() for row in rows.values()}
    )


def outlives(prefix: str, user_id: str, sequence: int, event_id: str, erased_at: datetime | None) -> bool:
    """Whether a change was decided after this erasure: its id says so.

    The record of an erasure can come after a later change, because it stands in two topics.
    """
    return erased_at is not None and event_id == change_id(prefix, user_id, erased_at, sequence)
