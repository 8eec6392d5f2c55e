"""The decision in a record of ``user-segments``: the inverse of :mod:`streamer.batch.change_records`."""

from datetime import date, datetime

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from schemas import times
from schemas.outputs.headers import ERASED_AT, MODELS_TOPIC, POSITIONS
from schemas.outputs.segment_change import Cause, SegmentChange
from schemas.outputs.wire import decode_change
from streamer.interfaces.lane_interfaces import Record
from streamer.user.user_state import Decided, UserState, decided_by, with_change


class Decision(Struct, frozen=True):
    """The content of a record of ``user-segments``.

    Attributes:
        user_id: the user.
        event_id: the id of the change.
        decided: the decision; None for an erased user.
        cause: the record that led to the change. For an erasure, only its positions are set.
        erased_at: when the user was last erased; None if never.
    """

    user_id: str
    event_id: str
    decided: Decided | None
    cause: Cause
    erased_at: datetime | None


def adopted(state: UserState, record: Record) -> UserState:
    """The state after a record of ``user-segments``: with its decision and history entry, or with neither."""
    change = _change_in(record)
    if change is None:
        return replace(state, decided=None, entered=0, entries=())
    return with_change(state, change, _models_topic(record))


def decided_in(record: Record) -> Decided | None:
    """The decision in a record of ``user-segments``; None for an erased user."""
    change = _change_in(record)
    return None if change is None else decided_by(change, _models_topic(record))


def decision_in(record: Record) -> Decision | None:
    """The content of a record of ``user-segments``; None if the record has no key, so the user is unknown."""
    if record.key is None:
        return None
    change, erased_at, user_id = _change_in(record), erased_at_in(record), record.key.decode()
    if change is None:
        event_id = (_header(record, "ce_id") or b"").decode()
        return Decision(
            user_id, event_id, None, Cause("signup", positions=cause_positions(record)), erased_at
        )
    return Decision(
        user_id, change.event_id, decided_by(change, _models_topic(record)), change.cause, erased_at
    )


def cause_positions(record: Record) -> dict[str, int]:
    """The lane's next offsets just after the event that led to a record of ``user-segments``."""
    if record.value is not None:
        return decode_change(record.value).cause.positions
    return msgspec.json.decode(_header(record, POSITIONS) or b"{}", type=dict[str, int])


def day_in(record: Record) -> date | None:
    """The day on which a record of ``user-segments`` was decided; None if it names no day."""
    return None if record.value is None else decode_change(record.value).cause.decided_on


def erased_at_in(record: Record) -> datetime | None:
    """When the user of a record of ``user-segments`` was last erased; None if never."""
    value = _header(record, ERASED_AT)
    return None if value is None else times.parse(value.decode())


def _change_in(record: Record) -> SegmentChange | None:
    change = None if record.value is None else decode_change(record.value)
    return change if isinstance(change, SegmentChange) else None


def _models_topic(record: Record) -> str:
    return (_header(record, MODELS_TOPIC) or b"").decode()


def _header(record: Record, name: str) -> bytes | None:
    return dict(record.headers).get(name)
