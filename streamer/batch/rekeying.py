"""Re-keying: an event on another partition than its user's is written to the one that is (DESIGN §4). Pure.

The record on the topic of re-keyed events has the user id as its key, value and headers as they came, and one
header that names the record it was. So whoever reads it sees that record: its topic tells what the
event is, its time when a null value erases, and causes and dead letters name it.
"""

import re

from schemas.errors import BadEvent
from schemas.outputs.headers import REKEYED_FROM
from schemas.topics import MAX_DEAD_LETTER_BYTES, Topics
from streamer.interfaces.lane_interfaces import Headers, OutRecord, Record

_ORIGIN = re.compile(rb"([^/]+)/([0-9]{1,10})/([0-9]{1,19})/(-?[0-9]{1,19})")


def forwarded(record: Record, user_id: str, partition: int, topics: Topics) -> OutRecord:
    """The record that hands an event over to its user's lane.

    Raises:
        BadEvent: with its headers it does not fit into the topic; its value alone always does.
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
    """The record of ``signups`` or ``orders`` that a re-keyed one was, its key apart.

    Raises:
        BadEvent: nothing says which one it was, so no worker wrote it.
    """
    told = _ORIGIN.fullmatch(dict(record.headers).get(REKEYED_FROM, b""))
    topic = "" if told is None else told[1].decode(errors="replace")
    if told is None or topic not in topics.sources:
        raise BadEvent(
            "",
            f"no header {REKEYED_FROM} names the record of {' or '.join(topics.sources)} that it was: only workers"
            f" write to {topics.rekeyed}, send it to one of those",
        )
    return Record(
        topic,
        int(told[2]),
        int(told[3]),
        record.key,
        record.value,
        int(told[4]),
        _without_origin(record.headers),
    )


def _without_origin(headers: Headers) -> Headers:
    return tuple(header for header in headers if header[0] != REKEYED_FROM)
