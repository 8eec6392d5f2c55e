"""A process of the simulation: a lane, its log that crashes, and its webhooks on their way."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from schemas.outputs.segment_change import Change
from schemas.topics import Topics
from segue.triggers.trigger_file import Triggers
from segue.triggers.trigger_lane import Posted, TriggerLane, webhook_id
from streamer.in_memory import MemoryKafka, MemoryLog
from streamer.interfaces.lane_interfaces import OutRecord
from tests.campaigns.trigger_simulation.history import NOW

TOPICS = Topics()
GROUP = "segue-triggers"


class Crash(Exception):
    """The process is dead."""


class Received(NamedTuple):
    """A webhook as its receiver got it."""

    trigger: str
    user_id: str
    webhook_id: str


class CrashingLog(MemoryLog):
    """Dies now and then just before a commit, or just after it."""

    def __init__(self, kafka: MemoryKafka, rng: random.Random) -> None:
        super().__init__(kafka, 0, (TOPICS.changes,))
        self._rng = rng
        self.crashes = 0.0

    def commit(self, records: Sequence[OutRecord], positions: Mapping[str, int]) -> dict[str, int]:
        if self._rng.random() < self.crashes:
            raise Crash
        written = super().commit(records, positions)
        if self._rng.random() < self.crashes:
            raise Crash
        return written


class SlowPost:
    """Webhooks that wait until the simulation lets their receivers answer."""

    def __init__(self, received: list[Received], given_up: set[str]) -> None:
        self._received = received
        self._given_up = given_up
        self._waiting: dict[tuple[str, str], deque[tuple[int, Change]]] = {}
        self._ended: list[tuple[int, str, Posted]] = []

    def send(self, trigger: str, change: Change, number: int) -> None:
        self._waiting.setdefault((trigger, change.user_id), deque()).append((number, change))

    def ended(self, timeout_s: float = 0.0) -> list[tuple[int, str, Posted]]:
        ended, self._ended = self._ended, []
        return ended

    def forget(self) -> None:
        self._waiting.clear()
        self._ended.clear()

    def finish(self) -> None:
        pass

    def answer(self, rng: random.Random, given_up: float) -> bool:
        """Let one receiver answer, or be given up; return whether a webhook waited."""
        if not self._waiting:
            return False
        place = rng.choice(sorted(self._waiting))
        number, change = self._waiting[place][0]
        kind = rng.random()
        if kind < given_up:
            self._given_up.add(webhook_id(place[0], change))
            self._leave(place, number, Posted("the receiver answered 500"))
            return True
        self._received.append(Received(*place, webhook_id(place[0], change)))
        if kind < 0.9:  # else the answer is lost, and the webhook goes out again
            self._leave(place, number, Posted())
        return True

    def _leave(self, place: tuple[str, str], number: int, end: Posted) -> None:
        self._waiting[place].popleft()
        if not self._waiting[place]:
            del self._waiting[place]
        self._ended.append((number, place[0], end))


class Actor:
    """One process at the partition."""

    def __init__(
        self,
        kafka: MemoryKafka,
        triggers: Triggers,
        received: list[Received],
        given_up: set[str],
        rng: random.Random,
    ) -> None:
        self.log = CrashingLog(kafka, rng)
        self.post = SlowPost(received, given_up)
        self.lane = TriggerLane(
            0, GROUP, self.log, TOPICS, triggers, self.post, lambda: NOW, from_beginning=True, max_batch=7
        )
        self.live = False

    def take_over(self) -> None:
        """Take the partition over."""
        self.lane.take_over()
        self.live = True
