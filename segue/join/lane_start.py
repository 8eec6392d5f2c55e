"""Where a lane of `segue join` goes on in its topic."""

from __future__ import annotations

from schemas.errors import NeedsRebuild
from streamer.interfaces.lane_interfaces import Log


def start_of(kafka: Log, topic: str, partition: int, fix: str) -> int:
    """Return the committed offset; without one, the first offset of the topic.

    Args:
        kafka: reads and writes the partition. The former owner is fenced already.
        topic: the topic that the lane reads.
        partition: the partition's number.
        fix: what to do if records are gone, for the error.

    Raises:
        NeedsRebuild: records are gone that the lane has not read.
    """
    bounds = kafka.watch(topic)
    committed = kafka.committed().get(topic)
    if committed is None or committed.topic_id not in (None, bounds.topic_id):
        return bounds.begin
    if committed.offset < bounds.begin:
        raise NeedsRebuild(
            f"partition {partition} of {topic} begins at offset {bounds.begin:,}, and rows from offset"
            f" {committed.offset:,} on were not read: {fix}"
        )
    return committed.offset


def was_made_anew(kafka: Log, topic: str) -> bool:
    """Return whether the committed offset is that of a deleted topic of the same name."""
    committed = kafka.committed().get(topic)
    # An offset that a tool committed names no topic.
    return committed is not None and committed.topic_id not in (None, kafka.watch(topic).topic_id)
