"""One row of the tables: how many moves there were on one way in one window. Pure."""

from __future__ import annotations

from msgspec import Struct

MOST_IDS = 20
"""How many ids a row keeps. A mirror that copies a record twice writes the copies close together."""


class Way(Struct, frozen=True):
    """Which moves a row counts.

    Attributes:
        topic_id: Kafka's id of the topic of changes: the offsets of a topic made anew begin again.
        partition: the partition of the changes. A row has one writer, the owner of this partition.
        previous: the former segment; None for new users.
        segment: the present segment.
    """

    topic_id: str
    partition: int
    previous: int | None
    segment: int


class Row(Struct, frozen=True):
    """A count, and which changes it holds: both are one record in Kafka, so no crash can separate them.

    Attributes:
        moves: how many changes are counted.
        next: the offset after the last counted change.
        ids: the event ids of the last counted changes, the oldest first; at most :data:`MOST_IDS`.
    """

    moves: int
    next: int
    ids: tuple[str, ...]


def with_change(row: Row | None, offset: int, event_id: str) -> Row | None:
    """Return the row after a change; None if the row has counted the change before.

    The changes of a row come in the order of their offsets, and after a crash again from an earlier offset.

    >>> first = with_change(None, 7, "a")
    >>> first
    Row(moves=1, next=8, ids=('a',))
    >>> with_change(first, 7, "a") is None
    True

    Args:
        row: the row before; None if it has counted nothing yet.
        offset: the change's offset.
        event_id: the change's id.
    """
    if row is None:
        return Row(1, offset + 1, (event_id,))
    if offset < row.next or event_id in row.ids:
        return None
    return Row(row.moves + 1, offset + 1, (*row.ids, event_id)[-MOST_IDS:])


def further(one: Row | None, other: Row) -> Row:
    """Return the row that counted further.

    A process that was paused, and has lost its partitions meanwhile, may write an older row late.
    """
    return other if one is None or other.next >= one.next else one
