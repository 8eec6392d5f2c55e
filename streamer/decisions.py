"""What a record of ``user-segments`` decides: :mod:`streamer.outputs` the other way round."""

from datetime import datetime

import msgspec
from msgspec.structs import replace

from schemas import times
from schemas.changes import SegmentChange
from schemas.headers import ERASED_AT, MODELS_TOPIC, POSITIONS
from schemas.wire import decode_change
from streamer.interfaces import Record
from streamer.state import Decided, UserState, decided_by, told


def adopted(state: UserState, record: Record) -> UserState:
    """The user as a record of ``user-segments`` leaves it: decided, with an entry of its history; or neither."""
    change = _change_in(record)
    if change is None:
        return replace(state, decided=None, entered=0, entries=())
    return told(state, change, _models_topic(record))


def decided_in(record: Record) -> Decided | None:
    """What a record of ``user-segments`` decides; None for an erased user."""
    change = _change_in(record)
    return None if change is None else decided_by(change, _models_topic(record))


def cause_positions(record: Record) -> dict[str, int]:
    """The lane's next offsets just after what led to a record of ``user-segments``."""
    if record.value is not None:
        return decode_change(record.value).cause.positions
    return msgspec.json.decode(_header(record, POSITIONS) or b"{}", type=dict[str, int])


def erased_at_in(record: Record) -> datetime | None:
    """When the user of a record of ``user-segments`` was last erased; None if never."""
    told = _header(record, ERASED_AT)
    return None if told is None else times.parse(told.decode())


def _change_in(record: Record) -> SegmentChange | None:
    change = None if record.value is None else decode_change(record.value)
    return change if isinstance(change, SegmentChange) else None


def _models_topic(record: Record) -> str:
    return (_header(record, MODELS_TOPIC) or b"").decode()


def _header(record: Record, name: str) -> bytes | None:
    return dict(record.headers).get(name)
