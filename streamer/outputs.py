"""The records that tell a change: one on ``segment-changes``, one on ``user-segments``."""

import msgspec

from schemas.changes import Change, UserErasedChange
from schemas.headers import change_headers
from schemas.topics import Topics
from schemas.wire import encode_change
from streamer.interfaces import OutRecord

POSITIONS_HEADER = "segue_positions"


def change_records(change: Change, topics: Topics, partition: int) -> tuple[OutRecord, OutRecord]:
    """Both records of a change; an erased user's is null on the compacted topic.

    A null has no ``cause.positions``, which a takeover without offsets looks for, so a header has them.
    """
    key, value, headers = change.user_id.encode(), encode_change(change), change_headers(change, topics)
    told = OutRecord(topics.changes, key, value, headers, partition)
    if isinstance(change, UserErasedChange):
        positions = (POSITIONS_HEADER, msgspec.json.encode(change.cause.positions))
        return told, OutRecord(topics.users, key, None, (*headers, positions), partition)
    return told, OutRecord(topics.users, key, value, headers, partition)
