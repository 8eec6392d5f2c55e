"""The world of the simulation, and a process in it: a lane, its log that crashes, and its webhooks."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from schemas.errors import Unreachable
from schemas.outputs.segment_change import Change, UserErasedChange
from schemas.outputs.wire import encode_change
from schemas.topics import Topics
from segue.triggers.file.trigger_file import Triggers
from segue.triggers.ledger_records import Writes
from segue.triggers.trigger_lane import TriggerLane
from segue.triggers.webhook_post import Posted, webhook_id
from streamer.in_memory import MemoryKafka, MemoryLog
from streamer.interfaces.lane_interfaces import Bounds, OutRecord
from tests.campaigns.trigger_simulation.history import History
from tests.support.worlds.memory_copy import CopyFile, MemoryCopy, emptied

TOPICS = Topics()
GROUP = "segue-triggers"


class Crash(Exception):
    """The process is dead."""


class Received(NamedTuple):
    """A webhook as its receiver got it."""

    trigger: str
    user_id: str
    webhook_id: str


class Shop:
    """The topics and the time that all processes share, and what is known of them.

    Attributes:
        kafka: the topics.
        now: the present time.
        states_end: how many changes there were when a first start read where users are.
        decided_at: by offset of a change, the time of the decision that was committed.
        copy: the Redis with the ledger's copy.
        late: the saves and deletions that nobody waits for any more, and that may still come.
    """

    def __init__(self, rng: random.Random) -> None:
        self.kafka = MemoryKafka()
        for topic in (TOPICS.changes, TOPICS.users, TOPICS.trigger_ledger, TOPICS.trigger_dead_letters):
            self.kafka.create(topic, 1)
        self.now = datetime(2024, 12, 3, 19, 30, tzinfo=UTC)
        self.states_end = 0
        self.decided_at: dict[int, datetime] = {}
        self.copy = CopyFile()
        self.late: list[Callable[[], object]] = []
        self._cleaned_at: dict[int, datetime] = {}
        self._rng = rng
        self._history = History(rng, rng.randint(1, 6), lambda: self.now)

    @property
    def written(self) -> int:
        """How many changes there are."""
        return len(self.kafka.topics[TOPICS.changes].partitions[0])

    def write(self) -> None:
        """Write the next change to both topics, as a lane does."""
        change = self._history.next()
        key, value = change.user_id.encode(), encode_change(change)
        self.kafka.append(TOPICS.changes, 0, key, value)
        self.kafka.append(TOPICS.users, 0, key, None if isinstance(change, UserErasedChange) else value)

    def write_some(self) -> None:
        """Write some changes, or none."""
        for _ in range(self._rng.choice([0, 0, 1, 3])):
            self.write()

    def compact(self) -> None:
        """Drop what was deleted, and 24 hours later the record that says so; Kafka keeps the offsets."""
        records = self.kafka.topics[TOPICS.trigger_ledger].partitions[0]
        newest = {record.key: number for number, record in enumerate(records)}
        for number, record in enumerate(records):
            last = newest[record.key]
            if number < last and records[last].value is None:
                self._cleaned_at.setdefault(last, self.now)
            at = self._cleaned_at.get(last)
            if at is not None and (number < last or self.now - at >= timedelta(hours=24)):
                records[number] = replace(record, key=None, value=None)

    def befall_copy(self) -> str:
        """Let the copy lose its last saves or everything, or restart its server in peace; say which."""
        kind = self._rng.choice(["lost saves", "lost saves", "emptied", "restarted", "late saves"])
        if kind == "late saves":
            self._rng.shuffle(self.late)
            while self.late:
                self.late.pop()()
            return kind
        self.late.clear()
        if kind == "lost saves":
            self.copy.lose(self._rng.choice([1, 1, 2, 5, 40]), self._rng.randint(0, 4))
        elif kind == "emptied":
            self.copy.run([emptied])
        else:
            self.copy.restart()
        return kind

    def pass_time(self) -> None:
        """Let time pass, at times many hours."""
        self.now += timedelta(minutes=self._rng.choice([0, 0, 0, 1, 20, 20, 90]))
        if self._rng.random() < 0.02:
            self.now += timedelta(hours=9)


class CrashingLog(MemoryLog):
    """Dies now and then just before a commit, or just after it; changes come while a first start reads."""

    def __init__(self, shop: Shop, rng: random.Random) -> None:
        super().__init__(shop.kafka, 0, (TOPICS.changes,))
        self._shop = shop
        self._rng = rng
        self.crashes = 0.0
        self.lane: TriggerLane | None = None

    def watch(self, topic: str) -> Bounds:
        if topic == TOPICS.users:
            self._shop.write_some()
            self._shop.states_end = self._shop.written
        if topic == TOPICS.changes:
            self._shop.write_some()
        return super().watch(topic)

    def commit(self, records: Sequence[OutRecord], positions: Mapping[str, int]) -> dict[str, int]:
        assert self.lane is not None
        if self._rng.random() < self.crashes:
            raise Crash
        written = super().commit(records, positions)
        for pending in self.lane._pending:
            if pending.record.offset < positions.get(TOPICS.changes, 0):
                self._shop.decided_at[pending.record.offset] = pending.at
        if self._rng.random() < self.crashes:
            raise Crash
        return written


class CrashingCopy(MemoryCopy):
    """Dies now and then just before a save, or just after it; or its answer is lost, and it may come late."""

    def __init__(self, shop: Shop, rng: random.Random) -> None:
        super().__init__(shop.copy)
        self._shop = shop
        self._rng = rng
        self.crashes = 0.0

    def save(self, expected: bytes | None, mark: bytes, writes: Writes) -> bool:
        if self._rng.random() < self.crashes:
            self._shop.late.append(lambda: MemoryCopy(self._shop.copy).save(expected, mark, writes))
            raise Unreachable("Redis does not answer")
        self._maybe_fail()
        done = super().save(expected, mark, writes)
        self._maybe_fail()
        return done

    def empty(self) -> None:
        if self._rng.random() < self.crashes:
            self._shop.late.append(lambda: MemoryCopy(self._shop.copy).empty())
            raise Unreachable("Redis does not answer")
        super().empty()

    def _maybe_fail(self) -> None:
        if self._rng.random() < self.crashes:
            raise self._rng.choice([Crash(), Unreachable("Redis does not answer")])


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
        shop: Shop,
        triggers: Triggers,
        received: list[Received],
        given_up: set[str],
        rng: random.Random,
        *,
        from_beginning: bool,
    ) -> None:
        self.log = CrashingLog(shop, rng)
        self.copy = CrashingCopy(shop, rng)
        self.post = SlowPost(received, given_up)
        self.lane = TriggerLane(
            0,
            GROUP,
            self.log,
            self.copy,
            TOPICS,
            triggers,
            self.post,
            lambda: shop.now,
            from_beginning=from_beginning,
            max_batch=7,
        )
        self.log.lane = self.lane
        self.live = False

    def fails(self, share: float) -> None:
        """Let this share of the commits and saves crash before, and after."""
        self.log.crashes = self.copy.crashes = share

    def take_over(self) -> None:
        """Take the partition over."""
        self.lane.take_over()
        self.live = True
