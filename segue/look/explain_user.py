"""Explains a user's segment: the score by the release in use, and the users who are most similar now."""

from __future__ import annotations

from dataclasses import replace

from schemas.errors import Unreachable
from schemas.outputs.segment_change import SimilarUser
from schemas.release.model_release import ModelRelease
from segue.config.settings import Settings
from segue.connect.redis_users import similar_users
from segue.connect.release_in_use import read_releases
from segue.show.user_card import UserCard
from streamer.segment.scoring import Scorer

_SHORT_S = 3.0


def explain(card: UserCard, settings: Settings) -> tuple[UserCard, str | None]:
    """Add score and similar users to a card.

    Both are left out if the release in use cannot be read. The score is also left out if another release has
    decided this user.

    Returns:
        The new card, and a sentence about left-out parts; None if the card is complete.
    """
    try:
        model = read_releases(settings, _SHORT_S).current()
    except Unreachable as error:
        return card, f"distance, margin and similar users are left out: {error}"
    if model is None:
        return card, "distance, margin and similar users are left out: no release is in use"
    release = model.release
    card = replace(card, similar_users=find_similar_users(card, release, settings))
    if card.model_version == release.version:
        return replace(card, score=model.scorer.score(card.features, card.segment, settings.min_margin)), None
    if card.model_version is None:
        return card, None
    left_out = (
        "distance and margin" if card.similar_users is not None else "distance, margin and similar users"
    )
    return card, (
        f"{left_out} are left out: release {card.model_version} has decided this user, and "
        f"{release.version} is in use"
    )


def score_imagined_user(features: dict[str, int | float | str | None], release: ModelRelease) -> UserCard:
    """Score an imagined user, and return its card.

    Args:
        features: values by feature; None for a missing value.
        release: the release that scores.
    """
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


def find_similar_users(
    card: UserCard, release: ModelRelease, settings: Settings
) -> tuple[SimilarUser, ...] | None:
    """Return the users who are most similar to the card's user.

    Args:
        card: the user.
        release: its space is searched.
        settings: name the Redis, and how many users to return.

    Returns:
        The most similar user first; None if Redis does not answer, or the card is of another space.
    """
    if card.components is None or card.space != release.space:
        return None
    besides = [] if card.user_id is None else [card.user_id]
    try:
        return similar_users(settings, release.space, card.components, besides)
    except Unreachable:
        return None
