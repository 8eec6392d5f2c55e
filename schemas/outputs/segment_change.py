"""The changes that Segue publishes: a segment changed, was confirmed or unconfirmed, or a user was erased."""

import hashlib
from datetime import date, datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from schemas import times

ChangeKind = Literal["moved", "confirmed", "unconfirmed"]
CauseType = Literal["signup", "order", "model", "bootstrap", "replay", "time"]
FeatureValue = bool | int | float | str | None
AwareTime = Annotated[datetime, Meta(tz=True)]


class Cause(Struct, frozen=True):
    """The record that led to a change.

    ``positions`` holds, by input topic, the lane's next offset just after the cause. A cause of the type
    ``model`` or ``bootstrap`` is no input record: ``topic`` and ``offset`` name the activation's record, or
    are null. A cause of the type ``time`` has no record: a new day began, and ``topic``, ``partition`` and
    ``offset`` are null.

    ``day`` is the day that features of time count to, in the setting ``time_zone``; it is left out where
    no declared feature reads the day.
    """

    type: CauseType
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    event_id: str | None = None
    positions: dict[str, int] = {}
    day: date | UnsetType = UNSET

    @property
    def decided_on(self) -> date | None:
        """The day that features of time count to; None where no declared feature reads the day."""
        return None if isinstance(self.day, UnsetType) else self.day


class SimilarUser(Struct, frozen=True):
    """A similar user; ``similarity`` is the cosine of the two users' components, -1 to 1."""

    user_id: str
    similarity: float
    segment: int | None


class SegmentChange(Struct, frozen=True, kw_only=True):
    """A change of a user's segment, with everything that explains and replays it.

    ``components`` are the user's PCA coordinates. ``distance`` is the Euclidean distance to the segment's
    centre in these coordinates. ``margin`` is (d2 - d1) / d2, with the distances d1 to the nearest and d2 to
    the second centre: 0 on a border, 1 on a centre.
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
    """The last change of an erased user. It holds no personal data but the user id."""

    kind: Literal["erased"] = "erased"
    event_id: str
    user_id: str
    sequence: int
    occurred_at: AwareTime
    emitted_at: AwareTime
    cause: Cause


Change = SegmentChange | UserErasedChange


def change_id(prefix: str, user_id: str, erased_at: datetime | None, sequence: int) -> str:
    """Return the ``event_id`` of a change: the same events in the same order give the same id.

    Args:
        prefix: the setting ``topic_prefix``.
        user_id: the user of the change.
        erased_at: the user's last erasure before the change; None if there is none.
        sequence: the number of the change since that erasure.

    Returns:
        32 hex digits.
    """
    erased = "" if erased_at is None else times.text(erased_at)
    identity = "\n".join((prefix, user_id, erased, str(sequence)))
    return hashlib.sha256(identity.encode()).hexdigest()[:32]
