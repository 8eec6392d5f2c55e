"""Where the demo plays: over Kafka and Redis, or in memory; and who is told what happens there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from schemas.input_events import Order, Signup
from schemas.outputs.segment_change import Change
from segue.events.send_events import Outgoing

Where = tuple[str, int, int]
"""Topic, partition and offset of a record."""


@dataclass(slots=True)
class Played:
    """What a stage measured.

    Attributes:
        seconds: from the first event's sending to the last one's effect.
        latencies_ms: from an event's writing to the reader's having the change.
        written: where each event came to lie, in the order of sending, with its key.
    """

    events: int = 0
    seconds: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)
    written: list[tuple[bytes | None, Where]] = field(default_factory=list)

    def first_events(self) -> set[Where]:
        """Where each key's first event lies."""
        first: dict[bytes | None, Where] = {}
        for key, where in self.written:
            first.setdefault(key, where)
        return set(first.values())


class Audience(Protocol):
    """Who is told while it plays."""

    def sent(self, events: int) -> None:
        """So many events have been sent."""

    def change(self, change: Change) -> None:
        """A change came."""

    def dead_letter(self, reason: str) -> None:
        """An event could not be applied."""


class Stage(Protocol):
    """Takes the history, then plays the events."""

    def populate(self, facts: Iterable[Signup | Order], progress: Callable[[int], None]) -> int:
        """Give every user of the history a state; returns how many there are."""

    def users_by_segment(self) -> Counter[int]:
        """How many users each segment has."""

    def open(self) -> None:
        """Begin to take events."""

    def play(self, events: Sequence[Outgoing], rate: float, audience: Audience) -> Played:
        """Send the events, and return when all their effects are there."""
