"""The records that tell a change: one on ``segment-changes``, one on ``user-segments``."""

import msgspec

from schemas.changes import Change, UserErasedChange
from schemas.headers import MODELS_TOPIC, POSITIONS, change_headers
from schemas.topics import Topics
from schemas.wire import encode_change
from streamer.interfaces import OutRecord


def change_records(
    change: Change, topics: Topics, partition: int, models_topic: str
) -> tuple[OutRecord, OutRecord]:
    """Both records of a change; an erased user's is null on the compacted topic.

    What a takeover needs of ``user-segments`` beyond the change stands in its headers: the id of the
    topic that ``activation`` is an offset of, and a null's ``cause.positions``.
    """
    key, value, headers = change.user_id.encode(), encode_change(change), change_headers(change, topics)
    told = OutRecord(topics.changes, key, value, headers, partition)
    if isinstance(change, UserErasedChange):
        positions = (POSITIONS, msgspec.json.encode(change.cause.positions))
        return told, OutRecord(topics.users, key, None, (*headers, positions), partition)
    of_models = (MODELS_TOPIC, models_topic.encode())
    return told, OutRecord(topics.users, key, value, (*headers, of_models), partition)
