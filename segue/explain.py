"""Why a user is where it is: the score by the release in use, and the users most like this one now."""

from __future__ import annotations

from dataclasses import replace

from schemas.changes import SimilarUser
from schemas.errors import Unreachable
from schemas.release import ModelRelease
from segue.redis_users import similar_users
from segue.release import read_releases
from segue.settings import Settings
from segue.user_card import UserCard
from streamer.scoring import Scorer

_SHORT_S = 3.0


def explained(card: UserCard, settings: Settings) -> UserCard:
    """The card with score and similar users, as far as the release can be had.

    The score is left out where another release has decided this user.
    """
    try:
        model = read_releases(settings, _SHORT_S).current()
    except Unreachable:
        return card
    if model is None:
        return card
    release = model.release
    return replace(
        card,
        score=model.scorer.score(card.features, card.segment, settings.min_margin)
        if card.model_version == release.version
        else None,
        similar_users=alike(card, release, settings),
    )


def scored(features: dict[str, int | float | str | None], release: ModelRelease) -> UserCard:
    """The card of a user that is only thought of."""
    score = Scorer(release).score(features)
    return UserCard(
        user_id=None,
        features=features,
        components=score.components,
        space=release.space,
        segment=score.segment,
        segment_name=score.segment_name,
        provisional=score.provisional,
        missing=score.missing,
        model_version=release.version,
        score=score,
    )


def alike(card: UserCard, release: ModelRelease, settings: Settings) -> tuple[SimilarUser, ...] | None:
    """The users most like the card's; None where Redis does not answer, or lies in another space."""
    if card.components is None or card.space != release.space:
        return None
    besides = [] if card.user_id is None else [card.user_id]
    try:
        return similar_users(settings, release.space, card.components, besides)
    except Unreachable:
        return None
