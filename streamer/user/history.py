"""When and why a user entered each segment: the newest entries, each in a field of the user's hash.

A new entry overwrites the oldest entry's field, so a lane writes an entry without reading the others.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from schemas.outputs.segment_change import Cause, CauseType, SegmentChange

KEPT = 50
FIELD_PREFIX = "h:"
FIELDS = tuple(f"{FIELD_PREFIX}{n}" for n in range(KEPT))


class Entered(Struct, frozen=True, array_like=True):
    """A user's entry into a segment. ``at`` is the cause's time; the change gives the other fields."""

    sequence: int
    at: datetime
    segment: int
    segment_name: str
    previous_segment: int | None
    model_version: str
    cause_type: CauseType
    topic: str | None
    partition: int | None
    offset: int | None

    @property
    def cause(self) -> Cause:
        """The record that led to this entry."""
        return Cause(self.cause_type, self.topic, self.partition, self.offset)


def entered_by(change: SegmentChange) -> Entered:
    """The entry of a change that moves a user."""
    cause = change.cause
    return Entered(
        change.sequence,
        change.occurred_at,
        change.segment,
        change.segment_name,
        change.previous_segment,
        change.model_version,
        cause.type,
        cause.topic,
        cause.partition,
        cause.offset,
    )


# Made at import: see the decoder in streamer/place/place.py.
_decoder = msgspec.json.Decoder(Entered)


def history_fields(before: int, now: int, new: Sequence[Entered]) -> dict[str, bytes | None]:
    """The history fields to write for a user, by name; None deletes a field.

    Args:
        before: the number of entries before this save, in this life or in the life before.
        now: the number of entries with the new ones.
        new: the new entries, at least the newest :data:`KEPT` of them.
    """
    first = now - len(new)
    fields: dict[str, bytes | None] = {}
    if first == 0:  # a new life keeps no entry of the life before
        fields = dict.fromkeys(FIELDS[:before])
    for number, entry in enumerate(new, first):
        fields[FIELDS[number % KEPT]] = msgspec.json.encode(entry)
    return fields


def read_history(stored: Iterable[bytes | None]) -> tuple[Entered, ...]:
    """The entries in a user's history fields, the oldest first."""
    entries = [_decoder.decode(value) for value in stored if value is not None]
    return tuple(sorted(entries, key=lambda entry: entry.sequence))
