"""The interfaces of the demo: a stage plays the events, and reports to an audience."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from schemas.input_events import Order, Signup
from schemas.outputs.segment_change import Change
from segue.events.send_events import Outgoing

Where = tuple[str, int, int]
"""The topic, partition and offset of a record."""


@dataclass(slots=True)
class Played:
    """The measurements of a stage.

    Attributes:
        events: how many events were sent.
        seconds: from the sending of the first event to the last effect.
        latencies_ms: from the writing of an event to the reading of its change, for each change.
        written: the key and the place of each event, in the order of sending.
    """

    events: int = 0
    seconds: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)
    written: list[tuple[bytes | None, Where]] = field(default_factory=list)

    def first_events(self) -> set[Where]:
        """Return the place of each key's first event."""
        first: dict[bytes | None, Where] = {}
        for key, where in self.written:
            first.setdefault(key, where)
        return set(first.values())


class Audience(Protocol):
    """Gets reports while a stage plays."""

    def sent(self, events: int) -> None:
        """Report how many events have been sent."""

    def change(self, change: Change) -> None:
        """Report a change."""

    def dead_letter(self, reason: str) -> None:
        """Report a dead letter with its reason."""


class Stage(Protocol):
    """Takes the history, then plays the events."""

    def populate(self, facts: Iterable[Signup | Order], progress: Callable[[int], None]) -> int:
        """Give every user of the history a state; return the number of users."""

    def users_by_segment(self) -> Counter[int]:
        """Count the users by segment."""

    def open(self) -> None:
        """Get ready to apply events."""

    def play(self, events: Sequence[Outgoing], rate: float, audience: Audience) -> Played:
        """Send the events at a rate (events a second); return after the last effect."""
