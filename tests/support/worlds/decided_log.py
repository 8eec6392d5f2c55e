"""Made-up decisions of some lanes, as workers write them: transactions, erasures, a bootstrap."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from schemas.outputs.segment_change import Cause, SegmentChange, UserErasedChange, change_id
from schemas.topics import Topics
from streamer.batch.change_records import change_records
from streamer.interfaces.lane_interfaces import OutRecord
from tests.support.inputs.made_change import a_change

_START = datetime(2024, 1, 1, tzinfo=UTC)
NAMES = ("young women", "older men", "brand lovers", "new here")


@dataclass
class Life:
    """A user since the last erasure."""

    erased_at: datetime | None = None
    changes: list[SegmentChange] = field(default_factory=list)


class Transaction(Struct, frozen=True):
    """What one batch of one lane writes."""

    lane: int
    records: tuple[OutRecord, ...]


class DecidedLog:
    """Decides at random.

    Args:
        seed: the same seed gives the same log.
        topics: the topics to write to.
        lanes: how many.
        users: how many users a lane has.
    """

    def __init__(self, seed: int, topics: Topics, *, lanes: int = 1, users: int = 8) -> None:
        self._random = random.Random(seed)
        self._topics = topics
        self._lanes = range(lanes)
        self._reached = [0] * lanes
        self._now = _START
        self.users = {
            lane: [f"u{lane}-{number}{'é' * (number % 2)}" for number in range(users)] for lane in self._lanes
        }
        self.lives: dict[str, Life] = {user: Life() for users in self.users.values() for user in users}
        self.erasures = 0

    def bootstrap(self) -> Iterator[Transaction]:
        """Decide about half of the users, on ``user-segments`` alone."""
        for lane in self._lanes:
            chosen = [user for user in self.users[lane] if self._random.random() < 0.5]
            records = [self._change(lane, user, "bootstrap")[1] for user in chosen]
            yield Transaction(lane, tuple(records))

    def batches(self, count: int) -> Iterator[Transaction]:
        """Decide this many batches, each in one lane."""
        for _ in range(count):
            lane = self._random.choice(self._lanes)
            records: list[OutRecord] = []
            for _ in range(self._random.randint(1, 6)):
                user = self._random.choice(self.users[lane])
                if self.lives[user].changes and self._random.random() < 0.1:
                    records += self._erase(lane, user)
                else:
                    records += self._change(lane, user, "order")
            yield Transaction(lane, tuple(records))

    def history(self) -> dict[tuple[str, int], SegmentChange]:
        """Every change of everybody's present life."""
        return {
            (user, change.sequence): change for user, life in self.lives.items() for change in life.changes
        }

    def current(self) -> dict[str, SegmentChange]:
        """Everybody's newest change."""
        return {user: life.changes[-1] for user, life in self.lives.items() if life.changes}

    def _change(self, lane: int, user: str, type_: str) -> tuple[OutRecord, OutRecord]:
        life = self.lives[user]
        before = life.changes[-1] if life.changes else None
        sequence = len(life.changes) + 1
        segment = self._random.randrange(len(NAMES))
        moved = before is None or before.segment != segment
        self._now += timedelta(seconds=self._random.randint(0, 60))
        keeps = before is not None and self._random.random() < 0.2  # a sweep keeps the offsets
        if type_ != "bootstrap" and not keeps:
            self._reached[lane] += 1
        change = a_change(
            kind="moved"
            if moved
            else ("unconfirmed" if not before or not before.provisional else "confirmed"),
            event_id=change_id(self._topics.prefix, user, life.erased_at, sequence),
            user_id=user,
            sequence=sequence,
            previous_segment=None if before is None else before.segment,
            segment=segment,
            segment_name=NAMES[segment],
            provisional=not moved and before is not None and not before.provisional,
            occurred_at=self._now - timedelta(seconds=self._random.randint(0, 600)),
            # Another worker's clock may be behind.
            emitted_at=self._now - timedelta(seconds=self._random.choice((0, 0, 0, 30))),
            cause=Cause(type_, positions=self._positions(lane)),  # type: ignore[arg-type]
        )
        life.changes.append(change)
        return change_records(change, self._topics, lane, "models", life.erased_at)

    def _erase(self, lane: int, user: str) -> tuple[OutRecord, OutRecord]:
        self._now += timedelta(seconds=1)
        self._reached[lane] += 1
        life = self.lives[user]
        sequence = len(life.changes) + 1
        gone = UserErasedChange(
            event_id=change_id(self._topics.prefix, user, life.erased_at, sequence),
            user_id=user,
            sequence=sequence,
            occurred_at=self._now,
            emitted_at=self._now,
            cause=Cause("signup", positions=self._positions(lane)),
        )
        self.erasures += 1
        self.lives[user] = Life(self._now)
        return change_records(gone, self._topics, lane, "models", self._now)

    def _positions(self, lane: int) -> dict[str, int]:
        return {
            self._topics.signups: self._reached[lane] // 2,
            self._topics.orders: (self._reached[lane] + 1) // 2,
        }
