"""Describes changes in words, for people at a terminal."""

from __future__ import annotations

from rich.text import Text

from schemas.outputs.segment_change import Cause, Change, SegmentChange, SimilarUser, UserErasedChange

# Most people can tell these colours apart, on dark and on light terminals.
_COLOURS = ("cyan", "magenta", "yellow", "green", "blue", "bright_red", "bright_cyan", "bright_magenta")
_KIND_WORDS = {"confirmed": "confirmed in", "unconfirmed": "no longer sure of"}


def change_text(change: Change) -> Text:
    """Describe one change: the user, both segments, the cause and the similar users.

    The previous segment is shown as a number, because a change does not contain its name.
    """
    line = Text(f"{change.emitted_at:%H:%M:%S}  ", style="dim")
    line.append(f"user {id_text(change.user_id)} ", style="bold").append_text(what_happened(change))
    if isinstance(change, SegmentChange) and change.similar_users:
        line.append("\n          like ", style="dim").append_text(similar_text(change.similar_users))
    return line


def what_happened(change: Change) -> Text:
    """Describe a change without its time, its user and the similar users."""
    if isinstance(change, UserErasedChange):
        by = _with_place("by an erasure", change.cause)
        return Text("erased", style="red").append(f" {by}", style="dim")
    line = _move(change)
    if change.provisional:
        line.append(f" (provisional, no {', '.join(change.missing)})", style="italic")
    return line.append(f" {cause_words(change.cause)}", style="dim")


def segment_text(segment: int | None, name: str | None = None) -> Text:
    """Return a segment's number and name in the segment's colour."""
    if segment is None:
        return Text("none", style="dim")
    shown = str(segment) if not name else f"{segment} {name}"
    return Text(shown, style=segment_colour(segment))


def segment_colour(segment: int) -> str:
    """Return the colour of a segment, by Rich's name. It is the same in all outputs."""
    return _COLOURS[segment % len(_COLOURS)]


def id_text(user_id: str) -> str:
    """Return a user's id, in quotes if blanks at its ends would not be seen.

    >>> id_text("7"), id_text("7 ")
    ('7', '"7 "')
    """
    return user_id if user_id == user_id.strip() else f'"{user_id}"'


def similar_text(users: tuple[SimilarUser, ...]) -> Text:
    """List users with their segments, the most similar first: `12 (3), …`."""
    words = Text()
    for index, user in enumerate(users):
        if index:
            words.append(", ")
        words.append(id_text(user.user_id)).append(" (")
        words.append_text(segment_text(user.segment)).append(")")
    return words


def cause_words(cause: Cause) -> str:
    """Describe the cause of a change, and the position of its record: topic, partition and offset.

    >>> cause_words(Cause(type="order", topic="orders", partition=2, offset=118))
    'by an order, orders/2@118'
    """
    words = {
        "signup": "by a signup",
        "order": "by an order",
        "model": "by another model",
        "bootstrap": "from the warehouse",
        "replay": "in a replay",
        "time": "by a new day" if cause.decided_on is None else f"by the day {cause.decided_on}",
    }[cause.type]
    return _with_place(words, cause)


def _with_place(words: str, cause: Cause) -> str:
    if cause.topic is None or cause.partition is None or cause.offset is None:
        return words
    return f"{words}, {cause.topic}/{cause.partition}@{cause.offset}"


def _move(change: SegmentChange) -> Text:
    there = segment_text(change.segment, change.segment_name)
    if change.kind != "moved":
        return Text(f"{_KIND_WORDS[change.kind]} ").append_text(there)
    if change.previous_segment is None:
        return Text("is new in ").append_text(there)
    return Text("moved ").append_text(segment_text(change.previous_segment)).append(" → ").append_text(there)
