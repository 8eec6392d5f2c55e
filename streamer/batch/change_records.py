"""The records that tell a change: one on ``segment-changes``, one on ``user-segments``."""

from datetime import datetime

import msgspec

from schemas import times
from schemas.outputs.headers import ERASED_AT, MODELS_TOPIC, POSITIONS, Headers, change_headers
from schemas.outputs.segment_change import Change, UserErasedChange
from schemas.outputs.wire import encode_change
from schemas.topics import Topics
from streamer.interfaces.lane_interfaces import OutRecord


def change_records(
    change: Change, topics: Topics, partition: int, models_topic: str, erased_at: datetime | None
) -> tuple[OutRecord, OutRecord]:
    """Both records of a change; an erased user's is null on the compacted topic.

    What a takeover or a bootstrap needs of ``user-segments`` beyond the change stands in its headers: the
    id of the topic that ``activation`` is an offset of, a null's ``cause.positions``, and the erasure,
    which compaction leaves nowhere else once the user has come back.

    Args:
        erased_at: the user's last erasure; an ``erased`` change is one itself.
    """
    key, value, headers = change.user_id.encode(), encode_change(change), change_headers(change, topics)
    told = OutRecord(topics.changes, key, value, headers, partition)
    if isinstance(change, UserErasedChange):
        positions = (POSITIONS, msgspec.json.encode(change.cause.positions))
        erasure = _erasure(change.occurred_at)
        return told, OutRecord(topics.users, key, None, (*headers, positions, *erasure), partition)
    of_models = (MODELS_TOPIC, models_topic.encode())
    return told, OutRecord(topics.users, key, value, (*headers, of_models, *_erasure(erased_at)), partition)


def _erasure(erased_at: datetime | None) -> Headers:
    return () if erased_at is None else ((ERASED_AT, times.text(erased_at).encode()),)
