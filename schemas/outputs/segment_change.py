"""What Segue says: a user's segment changed, was confirmed, became uncertain, or the user is gone."""

import hashlib
from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas import times

ChangeKind = Literal["moved", "confirmed", "unconfirmed"]
CauseType = Literal["signup", "order", "model", "bootstrap", "replay"]
FeatureValue = int | float | str | None
AwareTime = Annotated[datetime, Meta(tz=True)]


class Cause(Struct, frozen=True):
    """The record that led to a change.

    ``positions`` holds, by input topic, the lane's next offset just after the cause. A cause that is
    no input record (``model``, ``bootstrap``) has the topic and offset of what led to it, or none.
    """

    type: CauseType
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    event_id: str | None = None
    positions: dict[str, int] = {}


class SimilarUser(Struct, frozen=True):
    """A user near in angle; ``similarity`` is the cosine, -1 to 1."""

    user_id: str
    similarity: float
    segment: int | None


class SegmentChange(Struct, frozen=True, kw_only=True):
    """A change of a user's segment, with all that is needed to explain and replay it.

    ``components`` are PCA coordinates (one per dimension), ``distance`` is the Euclidean distance to
    the segment's centre in that space, and ``margin`` is (d2 - d1) / d2 for the nearest and the next
    centre's distances: 0 on a border, 1 on a centre.
    """

    kind: ChangeKind
    event_id: str
    user_id: str
    sequence: int
    previous_segment: int | None
    segment: int
    segment_name: str
    model_version: str
    activation: int
    occurred_at: AwareTime
    emitted_at: AwareTime
    provisional: bool
    missing: tuple[str, ...]
    features: dict[str, FeatureValue]
    components: tuple[float, ...]
    distance: float
    margin: float
    similar_users: tuple[SimilarUser, ...]
    cause: Cause


class UserErasedChange(Struct, frozen=True, kw_only=True):
    """The last change of a user's life: only what identifies it."""

    kind: Literal["erased"] = "erased"
    event_id: str
    user_id: str
    sequence: int
    occurred_at: AwareTime
    emitted_at: AwareTime
    cause: Cause


Change = SegmentChange | UserErasedChange


def change_id(prefix: str, user_id: str, erased_at: datetime | None, sequence: int) -> str:
    """The ``event_id`` of a change: the same events in the same order give the same id.

    Args:
        prefix: the setting that precedes every topic's name.
        erased_at: the user's last erasure before this life, or None.
    """
    erased = "" if erased_at is None else times.text(erased_at)
    told = "\n".join((prefix, user_id, erased, str(sequence)))
    return hashlib.sha256(told.encode()).hexdigest()[:32]
