"""When and why a user entered each segment: the newest entries, each in a field of the user's hash.

A new entry takes the oldest one's field, so that a lane writes one without reading the others.
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
    """A user came into a segment: ``at`` is the cause's time, and the rest is the change's."""

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
        """What led there."""
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


# See streamer/place/place.py.
_decoder = msgspec.json.Decoder(Entered)


def history_fields(before: int, now: int, new: Sequence[Entered]) -> dict[str, bytes | None]:
    """What changes in the fields of a user; None takes one away.

    Args:
        before: how many entries the user had had in this life, or in the one before.
        now: how many with the new ones.
        new: the new ones, at least the newest :data:`KEPT` of them.
    """
    first = now - len(new)
    fields: dict[str, bytes | None] = {}
    if first == 0:  # a life that begins has nothing of the one before
        fields = dict.fromkeys(FIELDS[:before])
    for number, entry in enumerate(new, first):
        fields[FIELDS[number % KEPT]] = msgspec.json.encode(entry)
    return fields


def read_history(stored: Iterable[bytes | None]) -> tuple[Entered, ...]:
    """The entries of a user's fields, the oldest first."""
    entries = [_decoder.decode(value) for value in stored if value is not None]
    return tuple(sorted(entries, key=lambda entry: entry.sequence))
