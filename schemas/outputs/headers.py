"""Record headers: CloudEvents attributes, and the headers of a dead letter.

Sources: CloudEvents 1.0.2, and its Kafka protocol binding 1.0.2, section 3.2 (binary content mode).
"""

import hashlib
from datetime import datetime

from schemas import times
from schemas.outputs.segment_change import Change
from schemas.release.model_release import ModelRelease
from schemas.topics import MAX_DEAD_LETTER_BYTES, MODELS_CURRENT_KEY, Topics

Headers = tuple[tuple[str, bytes], ...]

CONTENT_TYPE = "application/json"

# On the null of an erased user in user-segments: the cause.positions, because a null has no fields.
POSITIONS = "segue_positions"
# On user-segments, for a user with an erasure in the past: the time of the last erasure, RFC 3339 in UTC.
ERASED_AT = "segue_erased_at"
# On user-segments: the id of the topic of releases; the record's activation is an offset in that topic.
MODELS_TOPIC = "segue_models_topic"
# On segment-models: when the release was made, RFC 3339. The release itself holds no time.
CREATED_AT = "segue_created_at"

# On an input record that was a dead letter and was sent again: topic/partition/offset of the dead letter.
# The header stays on the record: if the record is refused again, the new dead letter names the former one.
RETRY_OF = "segue_retry_of"

# On the topic of re-keyed events: topic/partition/offset/time of the original record, the time in
# milliseconds since 1970. Topic names contain no slash.
REKEYED_FROM = "segue_rekeyed_from"

REASON = "segue_reason"
TOPIC = "segue_topic"
PARTITION = "segue_partition"
OFFSET = "segue_offset"
TIMESTAMP_MS = "segue_timestamp_ms"
VALUE_BYTES, VALUE_SHA256 = "segue_value_bytes", "segue_value_sha256"
KEY_BYTES, KEY_SHA256 = "segue_key_bytes", "segue_key_sha256"
HEADERS_DROPPED = "segue_headers_dropped"
DEAD_LETTER_HEADERS = (
    REASON,
    TOPIC,
    PARTITION,
    OFFSET,
    TIMESTAMP_MS,
    VALUE_BYTES,
    VALUE_SHA256,
    KEY_BYTES,
    KEY_SHA256,
    HEADERS_DROPPED,
)

# An upper bound for the record's own fields, all of them varints.
_OVERHEAD_BYTES = 64
# An upper bound for the headers that describe a cut.
_CUT_BYTES = 1_000


def change_headers(change: Change, topics: Topics) -> Headers:
    """Return the headers of a change on ``segment-changes`` and ``user-segments``."""
    return _cloud_event(
        event_id=change.event_id,
        type_=f"segue.segment.{change.kind}",
        topics=topics,
        at=change.occurred_at,
        subject=change.user_id,
    )


def release_headers(
    release: ModelRelease, topics: Topics, *, key: str, at: datetime, created_at: str
) -> Headers:
    """Return the headers of a release's record on ``segment-models``.

    Args:
        release: the release in the record's value.
        topics: the names of the topics; their prefix is a part of ``ce_source``.
        key: the record's key: the version, or ``current`` for the record that activates it.
        at: when the release is published.
        created_at: when the release was made, RFC 3339.
    """
    activates = key == MODELS_CURRENT_KEY
    event = _cloud_event(
        # A rollback activates a version again, so the id needs the time.
        event_id=f"{release.version}/{key}/{times.text(at)}",
        type_="segue.model.activated" if activates else "segue.model.published",
        topics=topics,
        at=at,
        subject=release.version,
    )
    return (*event, (CREATED_AT, created_at.encode()))


def dead_letter(
    *,
    key: bytes | None,
    value: bytes | None,
    headers: Headers,
    topic: str,
    partition: int,
    offset: int,
    timestamp_ms: int,
    reason: str,
) -> tuple[bytes | None, bytes | None, Headers]:
    """Make a dead letter for ``segment-dead-letters``: the record as it came, with the reason and its origin.

    A record that does not fit into ``MAX_DEAD_LETTER_BYTES`` loses parts in this order: first the value is
    cut, then the original headers are dropped, then the key is cut. Headers name the length and the SHA-256
    of a part that was cut.

    Args:
        key: the record's key.
        value: the record's value.
        headers: the record's headers; the headers of an earlier dead letter are removed.
        topic: the record's topic.
        partition: the record's partition.
        offset: the record's offset.
        timestamp_ms: the record's time, milliseconds since 1970. The retry of an erasure without
            ``erased_at`` needs it.
        reason: why the record cannot be applied, for a person.

    Returns:
        Key, value and headers.
    """
    kept = tuple(header for header in headers if header[0] not in DEAD_LETTER_HEADERS)
    ours: list[tuple[str, bytes]] = [
        (REASON, reason.encode()),
        (TOPIC, topic.encode()),
        (PARTITION, b"%d" % partition),
        (OFFSET, b"%d" % offset),
        (TIMESTAMP_MS, b"%d" % timestamp_ms),
    ]
    key_bytes, value_bytes = len(key or b""), len(value or b"")
    room = MAX_DEAD_LETTER_BYTES - _size(ours) - _OVERHEAD_BYTES
    if key_bytes + value_bytes + _size(kept) <= room:
        return key, value, (*ours, *kept)
    room -= _CUT_BYTES
    if kept and key_bytes + _size(kept) > room:
        ours.append((HEADERS_DROPPED, b"%d" % len(kept)))
        kept = ()
    if key is not None and key_bytes > room:
        ours += [(KEY_BYTES, b"%d" % key_bytes), (KEY_SHA256, _sha256(key))]
        key = key[:room]
    rest = room - _size(kept) - len(key or b"")
    if value is not None and value_bytes > rest:
        ours += [(VALUE_BYTES, b"%d" % value_bytes), (VALUE_SHA256, _sha256(value))]
        value = value[:rest]
    return key, value, (*ours, *kept)


def _cloud_event(*, event_id: str, type_: str, topics: Topics, at: datetime, subject: str) -> Headers:
    return (
        ("ce_specversion", b"1.0"),
        ("ce_id", event_id.encode()),
        ("ce_type", type_.encode()),
        ("ce_source", f"/segue/{topics.prefix}".encode()),
        ("ce_time", times.text(at).encode()),
        ("ce_subject", subject.encode()),
        ("content-type", CONTENT_TYPE.encode()),
    )


def _size(headers: Headers | list[tuple[str, bytes]]) -> int:
    # A header has two lengths, each a varint of at most 5 bytes.
    return sum(len(name.encode()) + len(value) + 10 for name, value in headers)


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()
