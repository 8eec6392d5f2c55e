"""A user's card in the words of the commands, for the pages. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from schemas.release.model_release import ModelRelease
from segue.console.facts.console_files import Scatter
from segue.console.shown.segment_map import SegmentMap, segment_map
from segue.show.user_card import UserCard, feature_rows, provisional_words, score_rows
from segue.show.user_moves import UserMoves, length_words, order_move_words, value_words


class ShownMove(NamedTuple):
    """The smallest change of one feature that moves the user, with the values in words."""

    feature: str
    now: str
    then: str
    segment: int
    segment_name: str


class ShownMoves(NamedTuple):
    """What would move a user: whole sentences, and a row for each feature."""

    sentences: tuple[str, ...]
    features: tuple[ShownMove, ...]


class ShownCard(NamedTuple):
    """A card's parts.

    Attributes:
        card: the card.
        features: the name and the value of each feature; None for a missing value.
        score: what is known of the decision, by name.
        provisional: which features are missing; None if there are none.
        names: the names of the segments of the release in use, by id.
        map: where the user is among the segments; None if that cannot be drawn.
        moves: what would move the user; None if that is not known.
    """

    card: UserCard
    features: tuple[tuple[str, str | None], ...]
    score: tuple[tuple[str, str], ...]
    provisional: str | None
    names: Mapping[int, str]
    map: SegmentMap | None
    moves: ShownMoves | None


def shown_card(card: UserCard, release: ModelRelease | None, scatter: Scatter = ()) -> ShownCard:
    """Return a card's parts.

    Args:
        card: the card.
        release: the release in use; None if there is none.
        scatter: some of its training users; see :func:`segment_map`.
    """
    return ShownCard(
        card,
        tuple(feature_rows(card)),
        tuple(score_rows(card)),
        provisional_words(card) if card.missing else None,
        {} if release is None else {segment.id: segment.name for segment in release.segments},
        None if release is None else _map(card, release, scatter),
        None if card.moves is None else _moves(card, card.moves),
    )


def _map(card: UserCard, release: ModelRelease, scatter: Scatter) -> SegmentMap | None:
    if card.components is None or card.space != release.space:
        return None
    return segment_map(release, card.components, scatter)


def _moves(card: UserCard, moves: UserMoves) -> ShownMoves:
    sentences = []
    if moves.border is not None:
        border = moves.border
        name = f"{border.segment} {border.segment_name}"
        sentences.append(f"The nearest border is that to {name}, {length_words(border.distance)} away.")
    if moves.one_more_order is not None:
        sentences.append(f"One more order {order_move_words(card, moves.one_more_order)}.")
    rows = tuple(
        ShownMove(
            move.feature,
            value_words(card.features[move.feature]),
            value_words(move.value),
            move.segment,
            move.segment_name,
        )
        for move in moves.features
    )
    return ShownMoves(tuple(sentences), rows)
