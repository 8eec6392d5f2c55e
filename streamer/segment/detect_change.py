"""When a score is a change, and the record that tells it."""

from datetime import datetime

from schemas.outputs.segment_change import (
    Cause,
    ChangeKind,
    FeatureValue,
    SegmentChange,
    SimilarUser,
    UserErasedChange,
    change_id,
)
from streamer.segment.active_model import ActiveModel
from streamer.segment.scoring import Score
from streamer.user.user_state import Decided, UserState


def kind_of(decided: Decided | None, score: Score) -> ChangeKind | None:
    """What a new score is to a user with this decision; None: nothing to tell."""
    if decided is None or decided.segment != score.segment:
        return "moved"
    if decided.provisional == score.provisional:
        return None
    return "unconfirmed" if score.provisional else "confirmed"


def segment_change(
    state: UserState,
    kind: ChangeKind,
    score: Score,
    features: dict[str, FeatureValue],
    *,
    model: ActiveModel,
    cause: Cause,
    occurred_at: datetime,
    emitted_at: datetime,
    prefix: str,
    similar_users: tuple[SimilarUser, ...] = (),
) -> SegmentChange:
    """The record of a change. ``state`` is the user's before the decision, its facts already applied."""
    decided = state.decided
    sequence = 1 if decided is None else decided.sequence + 1
    return SegmentChange(
        kind=kind,
        event_id=change_id(prefix, state.user_id, state.facts.erased_at, sequence),
        user_id=state.user_id,
        sequence=sequence,
        previous_segment=None if decided is None else decided.segment,
        segment=score.segment,
        segment_name=score.segment_name,
        model_version=model.release.version,
        activation=model.activation,
        occurred_at=occurred_at,
        emitted_at=emitted_at,
        provisional=score.provisional,
        missing=score.missing,
        features=features,
        components=score.components,
        distance=score.distance,
        margin=score.margin,
        similar_users=similar_users,
        cause=cause,
    )


def erased_change(
    state: UserState,
    decided: Decided,
    *,
    cause: Cause,
    occurred_at: datetime,
    emitted_at: datetime,
    prefix: str,
) -> UserErasedChange:
    """The last record of a life. ``state`` is the user's before the erasure was applied.

    Its id names the erasure *before* this one: with the new one it could be the id of a change of the
    life that begins now, which counts from 1 again.
    """
    sequence = decided.sequence + 1
    return UserErasedChange(
        event_id=change_id(prefix, state.user_id, state.facts.erased_at, sequence),
        user_id=state.user_id,
        sequence=sequence,
        occurred_at=occurred_at,
        emitted_at=emitted_at,
        cause=cause,
    )
