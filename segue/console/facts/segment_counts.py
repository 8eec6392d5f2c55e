"""The segments with their users, from the release and from a count in Redis. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from streamer.segment.active_model import ActiveModel


class SegmentCount(Struct, frozen=True):
    """One segment.

    Attributes:
        id: the segment.
        name: its name; None if the release in use does not have it.
        size: how many training users it has; None likewise.
        users: how many users are in it now.
        share: ``users`` as a share of all users in a segment; None if there are no users.
        volatility: the moves into and out of the segment in the last hour, for each of its ``users``; None if
            there are no users.
    """

    id: int
    name: str | None
    size: int | None
    users: int
    share: float | None
    volatility: float | None = None


class SegmentCounts(Struct, frozen=True):
    """All segments, those of the release in use first.

    Attributes:
        version: the release in use; None if there is none.
        activation: its activation; None likewise.
        counted_at: when the users were counted.
        users: how many users are in a segment.
        segments: the segments.
    """

    version: str | None
    activation: int | None
    counted_at: datetime
    users: int
    segments: tuple[SegmentCount, ...]


def segment_counts(
    model: ActiveModel | None, counts: Mapping[int, int], counted_at: datetime
) -> SegmentCounts:
    """Put a release and a count together.

    Args:
        model: the release in use; None if there is none.
        counts: how many users each segment has, by segment id.
        counted_at: when they were counted.
    """
    total = sum(counts.values())

    def row(segment: int, name: str | None, size: int | None) -> SegmentCount:
        users = counts.get(segment, 0)
        return SegmentCount(segment, name, size, users, users / total if total else None)

    released = () if model is None else model.release.segments
    known = {segment.id for segment in released}
    rows = [row(segment.id, segment.name, segment.size) for segment in released]
    rows += [row(segment, None, None) for segment in sorted(counts.keys() - known)]
    return SegmentCounts(
        None if model is None else model.release.version,
        None if model is None else model.activation,
        counted_at,
        total,
        tuple(rows),
    )
