"""The two records of a change, with the same fields and headers as Segue's."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from benchmarks.bare.bare_events import BareEvent, BareOrder
from benchmarks.bare.bare_user import BareUser, features
from benchmarks.bare.table_score import TableScorer
from schemas import times
from schemas.outputs.segment_change import Cause, ChangeKind, SegmentChange, SimilarUser, change_id

Headers = list[tuple[str, str | bytes | None]]

encode = msgspec.json.Encoder().encode
_BEFORE = datetime.min.replace(tzinfo=UTC)


class Input(Struct, gc=False):
    """One event, where it lies, and the next offset of each input after it."""

    event: BareEvent
    topic: str
    partition: int
    offset: int
    positions: dict[str, int] = {}


def decide(
    user: BareUser, given: Input, scorer: TableScorer, prefix: str
) -> tuple[SegmentChange | None, float, float]:
    """Score the user, and keep the decision in its state.

    Returns:
        The change, without similar users; None if nothing changed. Then the two components.
    """
    event, release = given.event, scorer.release
    user_id = event.user_id
    values = features(user_id, user)
    index, (x, y), distance, margin, missing = scorer.score(values)
    segment, provisional, former = release.segments[index], bool(missing), user.segment
    kind: ChangeKind
    if former != segment.id:
        kind = "moved"
    elif provisional != user.provisional:
        kind = "unconfirmed" if provisional else "confirmed"
    else:
        return None, x, y
    user.segment, user.provisional, user.sequence = segment.id, provisional, user.sequence + 1
    change = SegmentChange(
        kind=kind,
        event_id=change_id(prefix, user_id, None, user.sequence),
        user_id=user_id,
        sequence=user.sequence,
        previous_segment=former,
        segment=segment.id,
        segment_name=segment.name,
        model_version=release.version,
        activation=1,
        occurred_at=event.created_at,
        emitted_at=_BEFORE,
        provisional=provisional,
        missing=missing,
        features=values,
        components=(x, y),
        distance=distance,
        margin=margin,
        similar_users=(),
        cause=Cause(
            "order" if isinstance(event, BareOrder) else "signup",
            given.topic,
            given.partition,
            given.offset,
            event.event_id,
            given.positions,
        ),
    )
    return change, x, y


def record_of(
    change: SegmentChange, similar_users: Sequence[SimilarUser], now: datetime, prefix: str
) -> tuple[bytes, bytes, Headers]:
    """Key, value and headers of a change's record; the same for both topics."""
    whole = msgspec.structs.replace(change, similar_users=tuple(similar_users), emitted_at=now)
    headers: Headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", change.event_id),
        ("ce_type", f"segue.segment.{change.kind}"),
        ("ce_source", f"/segue/{prefix}"),
        ("ce_time", times.text(change.occurred_at)),
        ("ce_subject", change.user_id),
        ("content-type", b"application/json"),
    ]
    return change.user_id.encode(), encode(whole), headers
