"""Says who counted the moves, and how far. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from segue.console.moves.flow_facts import Flow, Hours

_LATE = timedelta(seconds=60)


class CountedWords(Struct, frozen=True):
    """A sentence about the counts, and whether it is a problem that people should see."""

    sentence: str
    is_late: bool


def counted_words(flow: Flow, hours: Hours, now: datetime) -> CountedWords:
    """Return the sentence.

    Args:
        flow: the moves of the last hour.
        hours: the moves by hour.
        now: the present time.
    """
    if flow.counted_by == "console":
        return CountedWords(
            "This console counts what it reads; `segue flow` would count before it starts.", False
        )
    if flow.until is not None and now - flow.until <= _LATE:
        return CountedWords(f"Counted by `segue flow` until {flow.until:%H:%M:%S} UTC.", False)
    if flow.until is not None:
        reach = f"it has counted all changes until {flow.until:%Y-%m-%d %H:%M:%S} UTC"
    else:
        assert hours.newest is not None, "a flow of the tables has rows"
        reach = f"the newest move that it has counted is of {hours.newest:%Y-%m-%d %H:%M} UTC"
    return CountedWords(f"`segue flow` is behind, or does not run: {reach}.", True)
