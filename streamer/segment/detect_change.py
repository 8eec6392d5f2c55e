"""Whether a score is a change, and the content of the change."""

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
    """The kind of change that a new score is for a user with this decision; None if nothing changes."""
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
    """The change of a user's segment, or of its confirmation.

    Args:
        state: the user before the decision; the event is already folded into its facts.
        kind: the kind of change, from :func:`kind_of`.
        score: the new score.
        features: the raw values that were scored, by feature name.
        model: the release that decides.
        cause: the record that led to the change.
        occurred_at: the time of the cause.
        emitted_at: the time of the decision.
        prefix: the prefix of the topics; it is part of the change's id.
        similar_users: the most similar users, the nearest first.
    """
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
    """The last change of a user's life.

    Its id names the erasure *before* this one. With the new erasure in it, the id could equal the id of a
    change of the next life, because the sequence begins at 1 again.

    Args:
        state: the user before the erasure.
        decided: the user's last decision.
        cause: the record of the erasure.
        occurred_at: the time of the erasure.
        emitted_at: the time of the decision.
        prefix: the prefix of the topics; it is part of the change's id.
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
