"""A made-up change, on which `segue triggers check` tries a template."""

from __future__ import annotations

from datetime import UTC, datetime

from schemas.outputs.segment_change import Cause, Change, SegmentChange, SimilarUser, UserErasedChange

_AT = datetime(2024, 12, 3, 19, 30, tzinfo=UTC)
# The quotation mark shows a value that is written without `| tojson`.
_USER = 'made up "4711"'


class AnyFeatures(dict[str, object]):
    """Features of which each has a value: which there are, only a release says."""

    def __missing__(self, name: str) -> object:
        return 1


def made_up_change(*, erased: bool) -> Change:
    """Return a change of a user whom an order moved, or who is erased."""
    if erased:
        return UserErasedChange(
            event_id="0" * 32,
            user_id=_USER,
            sequence=3,
            occurred_at=_AT,
            emitted_at=_AT,
            cause=Cause(type="signup", topic="signups", partition=0, offset=118),
        )
    return SegmentChange(
        kind="moved",
        event_id="0" * 32,
        user_id=_USER,
        sequence=2,
        previous_segment=0,
        segment=1,
        segment_name='made up "segment"',
        model_version="000000000000",
        activation=1,
        occurred_at=_AT,
        emitted_at=_AT,
        provisional=False,
        missing=(),
        features={},
        components=(0.5, -1.25),
        distance=0.75,
        margin=0.5,
        similar_users=(SimilarUser(user_id=_USER, similarity=0.9, segment=1),),
        cause=Cause(type="order", topic="orders", partition=0, offset=118),
    )
