"""From records to events: the content of a batch, in the order in which a lane applies it."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from operator import attrgetter

from msgspec import Struct
from msgspec.structs import replace

from schemas import times
from schemas.errors import BadEvent
from schemas.input_events import Event, Order
from schemas.inputs.decode import decode_order, decode_signup
from schemas.inputs.fields_read import FieldsRead, fields_read
from schemas.inputs.forms.event_form import NoEvent
from schemas.inputs.forms.framed_values import Unframe, without_registry
from schemas.outputs.headers import dead_letter
from schemas.outputs.segment_change import Cause
from schemas.partitioner import partition_of
from schemas.topics import Topics
from streamer.batch.rekeying import forwarded, original
from streamer.interfaces.lane_interfaces import OutRecord, Record
from streamer.place.place import FoldSettings

MAX_AHEAD = timedelta(days=1)

_OFFSET = attrgetter("offset")

# Of users who come again and again; at most some 10 MB.
_known_partition_of = lru_cache(maxsize=65_536)(partition_of)


class Incoming(Struct, frozen=True):
    """An event and the record that it came from.

    Attributes:
        event: the event.
        cause: the cause that the event's changes will name. For a re-keyed event, it is the record that the
            producer wrote.
        written_ms: the time of the producer's record, in milliseconds since 1970.
        topic: the topic where the lane read the event.
        offset: the offset where the lane read the event.
        record: the producer's record.
    """

    event: Event
    cause: Cause
    written_ms: int
    topic: str
    offset: int
    record: Record


class Batch(Struct, frozen=True):
    """The content of one batch.

    Attributes:
        events: the events to apply, in order.
        dead_letters: the records for the topic of dead letters.
        positions: the inputs' next offsets after the batch, by topic.
        rekeyed: the records that forward misrouted events to the correct lane.
        passed_over: the number of records that are no event in the form of their topic, by topic.
        unknown: the erasures of users that the lane has never seen. The lane sets them when it has decided.
    """

    events: list[Incoming]
    dead_letters: list[OutRecord]
    positions: dict[str, int]
    rekeyed: list[OutRecord] = []
    passed_over: dict[str, int] = {}
    unknown: tuple[Incoming, ...] = ()

    def wanted(self) -> Mapping[str, Collection[str]]:
        """By user id of the events, the ids of the orders in these events, in the order of the events."""
        wanted: dict[str, dict[str, None]] = {}
        for incoming in self.events:
            orders = wanted.setdefault(incoming.event.user_id, {})
            if isinstance(incoming.event, Order):
                orders[incoming.event.order_id] = None
        return wanted

    def on(self, day: date | None) -> "Batch":
        """The batch with this day in every cause; None leaves the causes without a day."""
        if day is None:
            return self
        return replace(self, events=[replace(one, cause=replace(one.cause, day=day)) for one in self.events])

    def without(self, refused: Sequence[tuple[Incoming, BadEvent]], topics: Topics) -> "Batch":
        """The batch with these events turned into dead letters."""
        if not refused:
            return self
        ids = {id(incoming) for incoming, _ in refused}
        letters = [letter_of(incoming.record, str(bad), topics) for incoming, bad in refused]
        events = [incoming for incoming in self.events if id(incoming) not in ids]
        return replace(self, events=events, dead_letters=[*self.dead_letters, *letters])


def read_batch(
    records: Sequence[Record],
    positions: Mapping[str, int],
    topics: Topics,
    settings: FoldSettings,
    max_ahead: timedelta,
    unframe: Unframe = without_registry,
) -> Batch:
    """The batch in a lane's records: first signups, then orders, then re-keyed events, each by offset.

    Args:
        records: the records that the lane read.
        positions: the lane's next offset in each input before these records.
        topics: the names of the topics.
        settings: the settings of the fold; they say which partition a user belongs to.
        max_ahead: how far a time in an event may lie ahead of its record's time.
        unframe: parses a value with the frame of a Schema Registry.

    Returns:
        The batch. A record that cannot be used is a dead letter in it, with the reason.

    Raises:
        Unreachable: the Schema Registry does not answer.
    """
    now = dict(positions)
    events: list[Incoming] = []
    dead_letters: list[OutRecord] = []
    rekeyed: list[OutRecord] = []
    passed_over: Counter[str] = Counter()
    read = fields_read(
        settings.features, statuses=bool(settings.exclude_statuses), time_zone=settings.zone_name
    )
    for record in in_order(records, topics):
        now[record.topic] = record.offset + 1
        written = record
        try:
            if record.topic == topics.rekeyed:
                written = original(record, topics)
            event = _decode(written, topics, settings, read, max_ahead, unframe)
            belongs = _known_partition_of(event.user_id, settings.partitions, settings.partitioner)
            if settings.rekey and record is written and belongs != record.partition:
                rekeyed.append(forwarded(record, event.user_id, belongs, topics))
                continue
            _check_partition(event.user_id, belongs, record, settings)
        except NoEvent:
            passed_over[written.topic] += 1
            continue
        except BadEvent as bad:
            dead_letters.append(letter_of(written, str(bad), topics))
            continue
        cause = Cause(
            type="signup" if written.topic == topics.signups else "order",
            topic=written.topic,
            partition=written.partition,
            offset=written.offset,
            event_id=event.event_id or _header_id(written),
            positions=dict(now),
        )
        events.append(Incoming(event, cause, written.timestamp_ms, record.topic, record.offset, written))
    return Batch(events, dead_letters, now, rekeyed, dict(passed_over))


def in_order(records: Iterable[Record], topics: Topics) -> list[Record]:
    """The records in the order in which a lane applies them."""
    of_input: dict[str, list[Record]] = {topic: [] for topic in topics.inputs}
    for record in records:
        of_input[record.topic].append(record)
    return [record for some in of_input.values() for record in sorted(some, key=_OFFSET)]


def _decode(
    record: Record,
    topics: Topics,
    settings: FoldSettings,
    read: FieldsRead,
    max_ahead: timedelta,
    unframe: Unframe,
) -> Event:
    signups = record.topic == topics.signups
    decode = decode_signup if signups else decode_order
    return decode(
        record.key,
        record.value,
        times.from_millis(record.timestamp_ms),
        check_key=not settings.rekey,
        read=read,
        form=settings.forms.signups if signups else settings.forms.orders,
        unframe=unframe,
        # A record without a time has nothing to compare with.
        max_ahead=max_ahead if record.timestamp_ms >= 0 else None,
    )


def _check_partition(user_id: str, belongs: int, record: Record, settings: FoldSettings) -> None:
    """Refuse an event on a wrong partition: two lanes would write the state of one user."""
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


def letter_of(record: Record, reason: str, topics: Topics) -> OutRecord:
    """Return the dead letter of a record."""
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
