"""A user's card: the segment, the reasons, and the similar users."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import starmap

import msgspec
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from schemas.outputs.segment_change import FeatureValue, SimilarUser
from segue.show.change_text import cause_words, id_text, segment_text, similar_text
from segue.show.user_moves import UserMoves, length_words, move_rows, value_words
from streamer.segment.scoring import Score
from streamer.user.history import Entered


@dataclass(frozen=True, slots=True)
class NextMove:
    """A decision of a day to come.

    Attributes:
        day: the first day of this decision.
        segment: the segment's id.
        segment_name: the segment's name, for people.
        provisional: whether a feature is missing then.
    """

    day: date
    segment: int
    segment_name: str
    provisional: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UserCard:
    """A user as Redis has it, or an imagined user.

    Attributes:
        user_id: the user's id; None for an imagined user.
        features: values by feature; None for a missing value.
        components: coordinates in ``space``; None if the user was never scored.
        space: the name of the space.
        segment: the segment's id; None if the user has no decision yet.
        segment_name: the segment's name, for people.
        provisional: whether a feature was missing when the user was scored.
        missing: the missing features.
        sequence: the number of the user's last change.
        model_version: the release of the last decision.
        activation: the activation of the last decision.
        positions: the next offset of each input in the user's lane.
        day: the lane's day; None if no declared feature reads the day.
        next_move: the user's next decision by the days alone; None if none is known.
        score: distance and margin by the release in use; None if they are not known.
        moves: what would move the user to another segment; None if that is not known.
        similar_users: the most similar users; None if they are not known.
        history: when and why the user entered each segment, the oldest entry first.
    """

    user_id: str | None
    features: Mapping[str, FeatureValue]
    components: tuple[float, ...] | None
    space: str | None
    segment: int | None
    segment_name: str | None
    provisional: bool
    missing: tuple[str, ...]
    sequence: int | None = None
    model_version: str | None = None
    activation: int | None = None
    positions: Mapping[str, int] | None = None
    day: date | None = None
    next_move: NextMove | None = None
    score: Score | None = None
    moves: UserMoves | None = None
    similar_users: tuple[SimilarUser, ...] | None = None
    history: tuple[Entered, ...] | None = None

    def as_json(self) -> dict[str, object]:
        """Return the fields for programs, without the fields that an imagined user does not have."""
        fields: dict[str, object] = {
            "user_id": self.user_id,
            "features": self.features,
            "components": self.components,
            "segment": self.segment,
            "segment_name": self.segment_name,
            "provisional": self.provisional,
            "missing": self.missing,
            "sequence": self.sequence,
            "model_version": self.model_version,
            "activation": self.activation,
            "positions": self.positions,
            "day": self.day,
            "next_move": self.next_move,
            "distance": None if self.score is None else self.score.distance,
            "margin": None if self.score is None else self.score.margin,
            "moves": self.moves,
            "similar_users": self.similar_users,
            "history": None if self.history is None else [_entry(entry) for entry in self.history],
        }
        optional = (
            "user_id",
            "sequence",
            "activation",
            "positions",
            "day",
            "next_move",
            "distance",
            "margin",
            "moves",
            "similar_users",
            "history",
        )
        return {name: value for name, value in fields.items() if value is not None or name not in optional}


def card_text(card: UserCard) -> RenderableType:
    """Return the card as text for people."""
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="dim")
    rows.add_column(overflow="fold")
    rows.add_row("segment", _segment(card))
    if card.missing:
        rows.add_row("provisional", provisional_words(card))
    for name, value in feature_rows(card):
        rows.add_row(name, Text("missing", style="dim italic") if value is None else value)
    for name, words in (*score_rows(card), *move_rows(card)):
        rows.add_row(name, words)
    if card.similar_users is not None:
        rows.add_row("similar users", similar_text(card.similar_users) if card.similar_users else "none")
    if card.positions is not None:
        rows.add_row("its lane's place", ", ".join(f"{topic}@{at}" for topic, at in card.positions.items()))
    if card.history:
        rows.add_row("history", Text("\n").join(starmap(_entered, history_rows(card.history))))
    title = "This user would be" if card.user_id is None else f"User {id_text(card.user_id)}"
    return Group(Text(title, style="bold"), rows)


def provisional_words(card: UserCard) -> str:
    """Say which features are missing, and what stands in for them."""
    return f"no {', '.join(card.missing)}: the training mean stands in"


def feature_rows(card: UserCard) -> Iterator[tuple[str, str | None]]:
    """Yield the name and the value in words of each feature that the model uses; None if it is missing."""
    for name, value in card.features.items():
        if value is None and card.components is not None and name not in card.missing:
            continue  # the model does not use this feature
        yield name, None if value is None else _value(card, name, value)


def score_rows(card: UserCard) -> Iterator[tuple[str, str]]:
    """Yield what is known of the decision, each with its name and in words."""
    if card.components is not None:
        yield "components", ", ".join(map(length_words, card.components))
    if card.score is not None:
        yield "distance", f"{length_words(card.score.distance)} to the segment's centre"
        yield "margin", f"{card.score.margin:.0%} nearer than the next centre (0% is the border)"
    if card.next_move is not None:
        yield "next", _next(card, card.next_move)
    if card.sequence is not None:
        yield "changes", f"{card.sequence} so far"
    if card.model_version is not None:
        activation = "" if card.activation is None else f", activation {card.activation}"
        yield "model", f"{card.model_version}{activation}"


def _next(card: UserCard, move: NextMove) -> str:
    """Say what the days alone will do."""
    if move.segment != card.segment:
        there = f"moves to {move.segment} {move.segment_name}"
    else:
        there = "stays there, provisionally" if move.provisional else "stays there, no longer provisionally"
    return f"on {move.day} this user {there}, if nothing happens"


def _segment(card: UserCard) -> Text:
    if card.segment is None:
        return Text("not decided yet", style="italic")
    return segment_text(card.segment, card.segment_name)


def history_rows(history: Sequence[Entered]) -> Iterator[tuple[Entered, str]]:
    """Yield each entry, in the order of the decisions, the newest first, with its cause in words.

    The times are those of the causes. They go back where an older event came later; the words then say so.
    """
    for before, entry in reversed([*zip((None, *history), history, strict=False)]):
        words = cause_words(entry.cause)
        if before is not None and entry.at < before.at:
            words += f" (older than #{before.sequence})"
        yield entry, words


def _entered(entry: Entered, cause: str) -> Text:
    line = Text(f"#{entry.sequence}  {entry.at:%Y-%m-%d %H:%M:%S}  ", style="dim")
    line.append_text(segment_text(entry.segment, entry.segment_name))
    return line.append(f"  {cause}", style="dim")


def _entry(entry: Entered) -> dict[str, object]:
    """Return an entry's fields by name. Redis stores an entry as an array."""
    return msgspec.structs.asdict(entry)


def _value(card: UserCard, name: str, value: FeatureValue) -> str:
    shown = value_words(value)
    if name not in card.missing:
        return shown
    if isinstance(value, str):
        return f"{shown} (unknown to the model)"
    why = "negative, so the model" if isinstance(value, float | int) and value < 0 else "the model"
    return f"{shown} ({why} counts it as missing)"
