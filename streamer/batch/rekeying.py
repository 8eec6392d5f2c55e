"""Re-keying: forward misrouted events to the correct lane. Pure.

A record on the topic of re-keyed events has the user id as its key. It keeps the value and the headers of
the original record, and one more header names the original record. A reader needs that record: its topic
gives the type of the event, its time is the time of an erasure by a null value, and causes and dead letters
name it.
"""

import re

from schemas.errors import BadEvent
from schemas.outputs.headers import REKEYED_FROM
from schemas.topics import MAX_DEAD_LETTER_BYTES, Topics
from streamer.interfaces.lane_interfaces import Headers, OutRecord, Record

_ORIGIN = re.compile(rb"([^/]+)/([0-9]{1,10})/([0-9]{1,19})/(-?[0-9]{1,19})")


def forwarded(record: Record, user_id: str, partition: int, topics: Topics) -> OutRecord:
    """The record that forwards an event to its user's lane.

    Args:
        record: the misrouted record.
        user_id: the user of the event.
        partition: the partition of the user's lane.
        topics: the names of the topics.

    Raises:
        BadEvent: the value and the headers are too large for the topic. The value alone always fits.
    """
    origin = f"{record.topic}/{record.partition}/{record.offset}/{record.timestamp_ms}"
    headers = (*_without_origin(record.headers), (REKEYED_FROM, origin.encode()))
    size = len(record.value or b"") + sum(len(name.encode()) + len(value) for name, value in headers)
    if size > MAX_DEAD_LETTER_BYTES:
        raise BadEvent(
            "headers",
            f"value and headers have {size:,} bytes, and an event that is re-keyed has at most"
            f" {MAX_DEAD_LETTER_BYTES:,}: leave headers out",
        )
    return OutRecord(topics.rekeyed, user_id.encode(), record.value, headers, partition)


def original(record: Record, topics: Topics) -> Record:
    """The original record of ``signups`` or ``orders``, but with the key of the re-keyed record.

    Raises:
        BadEvent: no header names the original record, so no worker wrote this record.
    """
    origin = _ORIGIN.fullmatch(dict(record.headers).get(REKEYED_FROM, b""))
    topic = "" if origin is None else origin[1].decode(errors="replace")
    if origin is None or topic not in topics.sources:
        sources = " or ".join(topics.sources)
        raise BadEvent(
            "",
            f"the header {REKEYED_FROM} does not name a record of {sources}: only workers write to"
            f" {topics.rekeyed}, send the event to {sources}",
        )
    return Record(
        topic,
        int(origin[2]),
        int(origin[3]),
        record.key,
        record.value,
        int(origin[4]),
        _without_origin(record.headers),
    )


def _without_origin(headers: Headers) -> Headers:
    return tuple(header for header in headers if header[0] != REKEYED_FROM)
