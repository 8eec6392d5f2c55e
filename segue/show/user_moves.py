"""What would move a user to another segment, and how to say it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from schemas.outputs.segment_change import FeatureValue

if TYPE_CHECKING:
    from segue.show.user_card import UserCard


_LONG = 1e15  # from here on, all digits would hide the others


class NearestBorder(Struct, frozen=True):
    """The nearest border of the user's segment.

    Attributes:
        segment: the id of the segment behind the border.
        segment_name: its name, for people.
        distance: how far the border is, in the space of the components.
    """

    segment: int
    segment_name: str
    distance: float


class FeatureMove(Struct, frozen=True):
    """The smallest change of one feature that moves the user.

    Attributes:
        feature: the feature's name.
        value: the nearest value that moves the user, if all other features stay.
        segment: the id of the segment that the user moves to.
        segment_name: its name, for people.
        distance: how far the change moves the user, in the space of the components.
    """

    feature: str
    value: FeatureValue
    segment: int
    segment_name: str
    distance: float


class OrderMove(Struct, frozen=True):
    """The segment after one more order, made now. Nothing is known of its item.

    Attributes:
        segment: the segment's id.
        segment_name: its name, for people.
    """

    segment: int
    segment_name: str


class UserMoves(Struct, frozen=True):
    """What would move a user.

    Attributes:
        border: the nearest border; None if the release has only one segment.
        features: the smallest change of each feature that can move the user, the smallest of all first.
        one_more_order: the segment after one more order; None if that is not known.
    """

    border: NearestBorder | None
    features: tuple[FeatureMove, ...]
    one_more_order: OrderMove | None = None


def move_rows(card: UserCard) -> Iterator[tuple[str, str]]:
    """Yield what would move the user, each with its name and in words: the smallest change only."""
    moves = card.moves
    if moves is None:
        return
    if moves.border is not None:
        border = moves.border
        yield "border", f"{length_words(border.distance)} to {border.segment} {border.segment_name}"
    if moves.features:
        yield "would move it", feature_move_words(card, moves.features[0])
    elif moves.border is not None:
        yield "would move it", "no change of one known feature"
    if moves.one_more_order is not None:
        yield "one more order", order_move_words(card, moves.one_more_order)


def feature_move_words(card: UserCard, move: FeatureMove) -> str:
    """Say what one feature would do.

    >>> from types import SimpleNamespace
    >>> card = SimpleNamespace(features={"total_orders": 3})
    >>> feature_move_words(card, FeatureMove("total_orders", 4, 2, "Women", 0.5))
    'total_orders 4 instead of 3: to 2 Women'
    """
    return (
        f"{move.feature} {value_words(move.value)} instead of {value_words(card.features[move.feature])}:"
        f" to {move.segment} {move.segment_name}"
    )


def order_move_words(card: UserCard, move: OrderMove) -> str:
    """Say what one more order would do."""
    if move.segment == card.segment:
        return "today would not move this user"
    return f"today would move this user to {move.segment} {move.segment_name}"


def length_words(length: float) -> str:
    """Return a component or a distance in words.

    >>> length_words(0.75), length_words(-1e300)
    ('0.750', '-1e+300')
    """
    return f"{length:.3f}" if abs(length) < _LONG else f"{length:.4g}"


def value_words(value: FeatureValue) -> str:
    """Return a feature's value in words; "missing" without a value."""
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else f"{value:,}"
