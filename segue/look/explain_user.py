"""Why a user is where it is: the score by the release in use, and the users most like this one now."""

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


def explained(card: UserCard, settings: Settings) -> tuple[UserCard, str | None]:
    """The card with score and similar users, and a sentence on what of these is left out.

    They are left out where the release cannot be had, the score also where another release has decided this user.
    """
    try:
        model = read_releases(settings, _SHORT_S).current()
    except Unreachable as error:
        return card, f"distance, margin and similar users are left out: {error}"
    if model is None:
        return card, "distance, margin and similar users are left out: no release is in use"
    release = model.release
    told = replace(card, similar_users=alike(card, release, settings))
    if card.model_version == release.version:
        return replace(told, score=model.scorer.score(card.features, card.segment, settings.min_margin)), None
    if card.model_version is None:
        return told, None
    what = "distance and margin" if told.similar_users is not None else "distance, margin and similar users"
    return told, (
        f"{what} are left out: release {card.model_version} has decided this user, and "
        f"{release.version} is in use"
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
