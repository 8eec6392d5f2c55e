"""Record headers: CloudEvents attributes, and what a dead letter says about itself.

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

# On the null that stands for an erased user in user-segments: the cause.positions, which a null has not.
POSITIONS = "segue_positions"
# On user-segments, for a user who was ever erased: the time of the last erasure, RFC 3339 in UTC.
ERASED_AT = "segue_erased_at"
# On user-segments: the id of the topic in which the record's activation is an offset.
MODELS_TOPIC = "segue_models_topic"
# On segment-models: when the release was made, RFC 3339; its content has no time.
CREATED_AT = "segue_created_at"

# On an input's record that was a dead letter and is sent again: topic/partition/offset of the dead letter.
# It stays on the record, so that one that dies again tells which letter it was before.
RETRY_OF = "segue_retry_of"

# On the topic of re-keyed events: topic/partition/offset/time of the record as it came, the time in
# milliseconds since 1970. Topic names have no slash.
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

# Two lengths of a header, and the record's own fields, all as varints: never more.
_OVERHEAD_BYTES = 64
# The headers that tell of a cut, at their longest.
_CUT_BYTES = 1_000


def change_headers(change: Change, topics: Topics) -> Headers:
    """The headers of a change on ``segment-changes`` and ``user-segments``."""
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
    """The headers of a release's record on ``segment-models``.

    Args:
        release: the release in the record's value.
        topics: whose prefix names the source.
        key: the record's key: the version, or ``current`` for the record that activates it.
        at: when it is published.
        created_at: when it was made, RFC 3339.
    """
    activates = key == MODELS_CURRENT_KEY
    event = _cloud_event(
        # A version is activated more than once when it is rolled back to.
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
    """A record for ``segment-dead-letters``: as it came, with headers that say why and from where.

    What does not fit into ``MAX_DEAD_LETTER_BYTES`` is cut: the value; where that is not enough, the
    original headers go, and only then the key is cut. What is cut tells its length and SHA-256.

    Args:
        key: the record's key.
        value: the record's value.
        headers: the record's headers; they are kept, but for those of an earlier dead letter.
        topic: the topic that it came on.
        partition: its partition.
        offset: its offset.
        timestamp_ms: its time, milliseconds since 1970; an erasure without ``erased_at`` that is retried
            needs it.
        reason: why it cannot be applied, for a person.

    Returns:
        Key, value and headers.
    """
    kept = tuple(header for header in headers if header[0] not in DEAD_LETTER_HEADERS)
    told: list[tuple[str, bytes]] = [
        (REASON, reason.encode()),
        (TOPIC, topic.encode()),
        (PARTITION, b"%d" % partition),
        (OFFSET, b"%d" % offset),
        (TIMESTAMP_MS, b"%d" % timestamp_ms),
    ]
    key_bytes, value_bytes = len(key or b""), len(value or b"")
    room = MAX_DEAD_LETTER_BYTES - _size(told) - _OVERHEAD_BYTES
    if key_bytes + value_bytes + _size(kept) <= room:
        return key, value, (*told, *kept)
    room -= _CUT_BYTES
    if kept and key_bytes + _size(kept) > room:
        told.append((HEADERS_DROPPED, b"%d" % len(kept)))
        kept = ()
    if key is not None and key_bytes > room:
        told += [(KEY_BYTES, b"%d" % key_bytes), (KEY_SHA256, _sha256(key))]
        key = key[:room]
    rest = room - _size(kept) - len(key or b"")
    if value is not None and value_bytes > rest:
        told += [(VALUE_BYTES, b"%d" % value_bytes), (VALUE_SHA256, _sha256(value))]
        value = value[:rest]
    return key, value, (*told, *kept)


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
    # A header's two lengths are varints of at most 5 bytes each.
    return sum(len(name.encode()) + len(value) + 10 for name, value in headers)


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()
