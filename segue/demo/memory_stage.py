"""The demo without services: the worker's lanes over a Kafka and a Redis in memory, one after the other."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime

from schemas.input_events import Order, Signup
from schemas.outputs.headers import REASON
from schemas.outputs.segment_change import Change
from schemas.partitioner import partition_of
from schemas.release.model_release import ModelRelease
from segue.config.settings import Settings
from segue.connect.lane_connections import lane_config
from segue.demo.stage import Audience, Played
from segue.events.send_events import Outgoing
from streamer.batch.read_batch import Batch
from streamer.in_memory import MemoryKafka, MemoryLog, MemoryRedis, MemoryStore
from streamer.lane.lane import Lane
from streamer.refill.bootstrap_lanes import LaneEnds, bootstrap
from streamer.segment.active_model import ActiveModel, BootstrapRecord
from streamer.segment.scoring import Scorer
from streamer.status.worker_status import Phase

PARTITIONS = 4
_PAUSE_S = 0.05


class MemoryStage:
    """A :class:`~segue.demo.stage.Stage` in this process.

    Args:
        release: the only release.
        settings: the demo's own settings.
        as_of: the time of the users' states before the events.
    """

    def __init__(self, release: ModelRelease, settings: Settings, as_of: datetime) -> None:
        self._topics, self._as_of = settings.topics, as_of
        self._kafka, self._redis = MemoryKafka(), MemoryRedis()
        for topic in (*self._topics.laned, self._topics.dead_letters):
            self._kafka.create(topic, PARTITIONS)
        self._models = _OneModel(ActiveModel(release, Scorer(release), 0, "memory", _now()), as_of)
        self._config = lane_config(settings, PARTITIONS)
        self._watcher = _Watcher()
        self._lanes: list[Lane] = []

    def populate(self, facts: Iterable[Signup | Order], progress: Callable[[int], None]) -> int:
        """Bootstrap every lane, as `segue bootstrap` does."""
        start = dict.fromkeys(self._topics.inputs, 0)
        ends = {p: LaneEnds(self._log(p), MemoryStore(self._redis, p), start) for p in range(PARTITIONS)}
        filled = bootstrap(
            ends,
            facts,
            self._as_of,
            self._models.current(),
            self._config,
            clock=_now,
            writer="demo bootstrap",
            announce=lambda: None,  # _OneModel has the bootstrap record already
            progress=progress,
        )
        return filled.users

    def users_by_segment(self) -> Counter[int]:
        """Count the users in memory by segment."""
        segments = (user.fields.get("segment") for user in self._redis.users.values())
        return Counter(int(segment) for segment in segments if segment is not None)

    def open(self) -> None:
        """Take over every lane."""
        self._lanes = [self._lane(p) for p in range(PARTITIONS)]

    def _decide_due_users(self) -> None:
        """Decide the users whose segment may be another by now, because days have passed."""
        for lane in self._lanes:
            self._watcher.left = None
            while self._watcher.left != 0:
                lane.step(_PAUSE_S)

    def play(self, events: Sequence[Outgoing], rate: float, audience: Audience) -> Played:
        """Decide who is due; then write each event, and let its lane apply it at once."""
        played = Played()
        self._watcher.audience = audience
        if self._config.rules.of_time:
            self._decide_due_users()
        began = time.monotonic()
        for number, event in enumerate(events):
            time.sleep(max(0.0, began + number / rate - time.monotonic()))
            assert event.key is not None
            partition = partition_of(event.key.decode(), PARTITIONS)
            written = time.monotonic()
            at_ms = int(time.time() * 1000)
            record = self._kafka.append(event.topic, partition, event.key, event.value, at_ms)
            played.written.append((event.key, (event.topic, partition, record.offset)))
            before = self._watcher.changes
            self._lanes[partition].step(0)
            if self._watcher.changes > before:
                played.latencies_ms.append((time.monotonic() - written) * 1000)
            audience.sent(number + 1)
        played.events, played.seconds = len(events), time.monotonic() - began
        return played

    def _lane(self, partition: int) -> Lane:
        lane = Lane(
            partition,
            self._log(partition),
            MemoryStore(self._redis, partition),
            self._models,
            self._config,
            self._watcher,
            clock=_now,
        )
        lane.take_over(f"demo {partition}")
        return lane

    def _log(self, partition: int) -> MemoryLog:
        return MemoryLog(self._kafka, partition, self._topics.inputs)


class _OneModel:
    """The demo's only release, and its bootstrap."""

    def __init__(self, model: ActiveModel, as_of: datetime) -> None:
        self._model, self._as_of = model, as_of

    def current(self) -> ActiveModel:
        return self._model

    def known_activation(self) -> int:
        return self._model.activation

    def problem(self) -> str | None:
        return None

    def release_by_version(self, version: str) -> ModelRelease | None:
        return self._model.release if version == self._model.release.version else None

    def bootstrap_standing(self) -> BootstrapRecord | None:
        return BootstrapRecord(self._as_of.isoformat(), {})


class _Watcher:
    """A watcher of lanes that reports changes and dead letters to the audience."""

    def __init__(self) -> None:
        self.audience: Audience | None = None
        self.changes = 0
        self.left: int | None = None
        """How many users were due after the lane's last batch of them; None before it."""

    def phase(self, phase: Phase, reason: str | None) -> None:
        """Do nothing: a lane in memory is live at once."""

    def reached(self, positions: dict[str, int], lag: dict[str, int]) -> None:
        """Do nothing: a lane in memory has no lag."""

    def swept(self, activation: int, users: int, changes: Sequence[Change], left: int) -> None:
        """Do nothing: the demo has only one release, so no sweep."""

    def came_due(
        self,
        day: date,  # noqa: ARG002 - a watcher's argument
        users: int,  # noqa: ARG002 - likewise
        changes: Sequence[Change],
        left: int,
    ) -> None:
        assert self.audience is not None
        self.left = left
        for change in changes:
            self.audience.change(change)

    def batch(
        self,
        batch: Batch,
        changes: Sequence[Change],
        seconds: dict[str, float],  # noqa: ARG002 - a watcher's argument
    ) -> None:
        assert self.audience is not None
        self.changes += len(changes)
        for change in changes:
            self.audience.change(change)
        for letter in batch.dead_letters:
            headers = dict(letter.headers)
            self.audience.dead_letter(headers[REASON].decode())


def _now() -> datetime:
    return datetime.now(UTC)
