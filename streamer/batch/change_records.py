"""The two records of a change: one on ``segment-changes``, one on ``user-segments``."""

from datetime import datetime

import msgspec

from schemas import times
from schemas.outputs.headers import ERASED_AT, MODELS_TOPIC, POSITIONS, Headers, change_headers
from schemas.outputs.segment_change import Change, UserErasedChange
from schemas.outputs.trace_context import TRACEPARENT
from schemas.outputs.wire import encode_change
from schemas.topics import Topics
from streamer.interfaces.lane_interfaces import OutRecord


def change_records(
    change: Change,
    topics: Topics,
    partition: int,
    models_topic: str,
    erased_at: datetime | None,
    traceparent: bytes | None = None,
) -> tuple[OutRecord, OutRecord]:
    """Both records of a change; for an erased user, the record on ``user-segments`` is a tombstone.

    A takeover or a bootstrap reads ``user-segments`` and needs more than the change. So the headers carry
    the id of the topic that holds the activation, the ``cause.positions`` of a tombstone, and the time of the
    erasure. After compaction, the time of the erasure stands nowhere else once the user has come back.

    Args:
        change: the change.
        topics: the topics to write to.
        partition: the lane's partition.
        models_topic: the id of the topic of releases.
        erased_at: the user's last erasure; None if never. An ``erased`` change carries its own time.
        traceparent: the trace context of the event that caused the change; only the published record has it.

    Returns:
        The record of ``segment-changes`` and the record of ``user-segments``.
    """
    key, value, headers = change.user_id.encode(), encode_change(change), change_headers(change, topics)
    traced = headers if traceparent is None else (*headers, (TRACEPARENT, traceparent))
    published = OutRecord(topics.changes, key, value, traced, partition)
    if isinstance(change, UserErasedChange):
        positions = (POSITIONS, msgspec.json.encode(change.cause.positions))
        erasure = _erasure(change.occurred_at)
        return published, OutRecord(topics.users, key, None, (*headers, positions, *erasure), partition)
    of_models = (MODELS_TOPIC, models_topic.encode())
    headers = (*headers, of_models, *_erasure(erased_at))
    return published, OutRecord(topics.users, key, value, headers, partition)


def _erasure(erased_at: datetime | None) -> Headers:
    return () if erased_at is None else ((ERASED_AT, times.text(erased_at).encode()),)
