"""Explains a user's segment: the score by the release in use, and the users who are most similar now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

from msgspec import structs

from schemas.errors import BadRelease, SegueError, Unreachable
from schemas.outputs.segment_change import SimilarUser
from schemas.release.model_release import ModelRelease
from segue.config.settings import Settings
from segue.connect.lane_connections import rules_of
from segue.connect.live_prefix import followed
from segue.connect.redis_users import TIMEOUT_S, RedisUsers, similar_users
from segue.connect.release_in_use import read_releases, usable_or_none
from segue.look.nearest_border import nearest_border
from segue.look.next_move import next_move
from segue.look.one_more_order import one_more_order
from segue.look.smallest_changes import smallest_changes
from segue.show.user_card import UserCard
from segue.show.user_moves import UserMoves
from streamer.segment.active_model import ActiveModel
from streamer.segment.scoring import Scorer

_SHORT_S = 3.0

ReadModel = Callable[[], ActiveModel | None]
"""Returns the release in use; None if there is none."""


class UnknownUser(SegueError):
    """Redis does not have a user."""


def explained_user(user_id: str, settings: Settings, read_model: ReadModel) -> tuple[UserCard, str | None]:
    """Return a user's card with score, similar users and history.

    Args:
        user_id: the user.
        settings: name the Redis.
        read_model: see :func:`explain`.

    Returns:
        As :func:`explain`.

    Raises:
        UnknownUser: Redis does not have the user, or has only its tombstone.
        Unreachable: Redis does not answer.
    """
    settings = followed(settings, TIMEOUT_S)
    with RedisUsers(settings) as users:
        card = users.card(user_id)
        if card is None:
            raise UnknownUser(
                f"user {user_id!r} is not in Redis at {settings.redis_address} under the prefix"
                f" {settings.redis_prefix!r}: no worker has applied an event of this user, or the user was"
                " erased"
            )
        read_model = cache(read_model)
        card, left_out = explain(card, settings, read_model)
        if card.score is not None and (model := read_model()) is not None:
            state, rules = users.state(user_id), rules_of(settings)
            ordered = one_more_order(state, model, rules, card.day, datetime.now(UTC))
            moves = moves_of(card, model.release, settings.min_margin)
            card = replace(
                card,
                next_move=next_move(state, model, rules, card.day),
                moves=None if moves is None else structs.replace(moves, one_more_order=ordered),
            )
        return replace(card, history=users.history(user_id)), left_out


def model_in_use(settings: Settings) -> ActiveModel | None:
    """Read the release in use from Kafka, without a long wait; return None if there is none.

    Raises:
        BadRelease: there are only refused releases.
        Unreachable: Kafka does not answer.
    """
    return usable_or_none(read_releases(settings, _SHORT_S))


def explain(card: UserCard, settings: Settings, read_model: ReadModel) -> tuple[UserCard, str | None]:
    """Add score and similar users to a card.

    Both are left out if the release in use cannot be read, or if the user has a decision and no facts. The
    score is also left out if another release has decided this user.

    Args:
        card: the user.
        settings: name the Redis, the margin and how many users are similar.
        read_model: returns the release in use; it may raise Unreachable or BadRelease.

    Returns:
        The new card, and a sentence about left-out parts; None if the card is complete.
    """
    if card.segment is not None and card.components is None:
        return card, (
            "distance, margin and similar users are left out: Redis holds no signup and no order of this"
            " user, only the newest decision (docs/rebuilding.md, Beginning again from the warehouse)"
        )
    try:
        model = read_model()
    except (Unreachable, BadRelease) as error:
        return card, f"distance, margin and similar users are left out: {error}"
    if model is None:
        return card, "distance, margin and similar users are left out: no release is in use"
    release = model.release
    card = replace(card, similar_users=find_similar_users(card, release, settings))
    if card.model_version == release.version:
        score = model.scorer.score(card.features, card.segment, settings.min_margin)
        # With features of time, the stored components are of the day of the last decision.
        return replace(card, score=score, components=score.components), None
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
    card = UserCard(
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
    return replace(card, moves=moves_of(card, release, 0.0))


def moves_of(card: UserCard, release: ModelRelease, min_margin: float) -> UserMoves | None:
    """Return what would move a user, without an order; None if the release would decide otherwise now.

    Args:
        card: the user, with components of the release.
        release: the release that scores.
        min_margin: 0 to 1. The user stays until another centre is nearer by this share.
    """
    if card.components is None or card.segment is None or card.score is None:
        return None
    if card.score.segment != card.segment:
        return None
    return UserMoves(
        nearest_border(card.components, card.segment, release, min_margin),
        smallest_changes(card.features, card.segment, release, min_margin),
    )


def imagined_user(
    features: dict[str, int | float | str | None], release: ModelRelease, settings: Settings
) -> UserCard:
    """Return the card of an imagined user, with the users who are most similar now.

    Args:
        features: values by feature; None for a missing value.
        release: the release that scores.
        settings: name the Redis, and how many users are similar.
    """
    card = score_imagined_user(features, release)
    return replace(card, similar_users=find_similar_users(card, release, settings))


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
