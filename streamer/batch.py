"""From records to events: what a batch holds, in the order in which a lane takes it."""

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct

from schemas import times
from schemas.changes import Cause
from schemas.decode import decode_order, decode_signup
from schemas.errors import BadEvent
from schemas.events import Event, Order
from schemas.headers import dead_letter
from schemas.partition import partition_of
from schemas.topics import Topics
from streamer.interfaces import OutRecord, Record
from streamer.place import FoldSettings


class Incoming(Struct, frozen=True):
    """An event, the cause that its changes will name, and when its record was written."""

    event: Event
    cause: Cause
    written_ms: int


class Batch(Struct, frozen=True):
    """The events of a batch, its dead letters, and the inputs' next offsets after it."""

    events: list[Incoming]
    dead_letters: list[OutRecord]
    positions: dict[str, int]

    def wanted(self) -> Mapping[str, Collection[str]]:
        """The users that the events are about, each with the orders that they name."""
        wanted: dict[str, set[str]] = {}
        for incoming in self.events:
            orders = wanted.setdefault(incoming.event.user_id, set())
            if isinstance(incoming.event, Order):
                orders.add(incoming.event.order_id)
        return wanted


def read_batch(
    records: Sequence[Record], positions: Mapping[str, int], topics: Topics, settings: FoldSettings
) -> Batch:
    """Decode a lane's records: signups before orders, each by offset.

    Args:
        positions: the lane's next offset in each input before these records.
    """
    inputs = topics.inputs
    now = dict(positions)
    events: list[Incoming] = []
    dead_letters: list[OutRecord] = []
    for record in sorted(records, key=lambda record: (inputs.index(record.topic), record.offset)):
        now[record.topic] = record.offset + 1
        try:
            event = _decode(record, topics)
            _check_partition(event.user_id, record, settings)
        except BadEvent as bad:
            dead_letters.append(_dead_letter(record, str(bad), topics))
            continue
        cause = Cause(
            type="signup" if record.topic == topics.signups else "order",
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            event_id=event.event_id or _header_id(record),
            positions=dict(now),
        )
        events.append(Incoming(event, cause, record.timestamp_ms))
    return Batch(events, dead_letters, now)


def _decode(record: Record, topics: Topics) -> Event:
    at = times.from_millis(record.timestamp_ms)
    if record.topic == topics.signups:
        return decode_signup(record.key, record.value, at)
    return decode_order(record.key, record.value, at)


def _check_partition(user_id: str, record: Record, settings: FoldSettings) -> None:
    """A user's facts must meet in one lane, or two lanes would write one state."""
    belongs = partition_of(user_id, settings.partitions, settings.partitioner)
    if belongs != record.partition:
        raise BadEvent(
            "",
            f"user {user_id!r} came on partition {record.partition} but belongs to partition {belongs} of"
            f" {settings.partitions} by {settings.partitioner}: set the producer's partitioner to"
            f" {settings.partitioner}, or Segue's setting `partitioner` to the producer's",
        )


def _header_id(record: Record) -> str | None:
    for name, value in record.headers:
        if name == "ce_id":
            return value[:256].decode(errors="replace")
    return None


def _dead_letter(record: Record, reason: str, topics: Topics) -> OutRecord:
    key, value, headers = dead_letter(
        key=record.key,
        value=record.value,
        headers=record.headers,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        reason=reason,
        timestamp_ms=record.timestamp_ms,
    )
    return OutRecord(topics.dead_letters, key, value, headers)
