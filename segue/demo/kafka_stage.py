"""The demo on Kafka and Redis: bootstrap, a separate worker process, events, changes."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from confluent_kafka import Message

from schemas.errors import SegueError
from schemas.input_events import Order, Signup
from schemas.outputs.headers import REASON
from schemas.outputs.segment_change import Change
from schemas.outputs.wire import decode_change
from schemas.topics import topic_configs
from segue.config.settings import Settings
from segue.connect.read_topics import CommittedReader, Ends
from segue.connect.redis_users import RedisUsers
from segue.demo.stage import Audience, Played, Where
from segue.demo.worker_process import WorkerProcess
from segue.events.send_events import Outgoing, Sender
from segue.refill.run_bootstrap import fill
from streamer.kafka.kafka_admin import Admin
from streamer.redis.redis_client import connect

_POLL_S = 0.05
_LOOK_S = 0.25
_STILL_S = 180.0
_CLEAN_S = 10.0


class KafkaStage:
    """A :class:`~segue.demo.stage.Stage` on real servers.

    Args:
        settings: the demo's own settings.
        as_of: the time of the users' states before the events.
        directory: for the worker's settings file and log.
        say: takes sentences for the user.
    """

    def __init__(
        self, settings: Settings, as_of: datetime, directory: Path, say: Callable[[str], None]
    ) -> None:
        self._settings = settings
        self._as_of = as_of
        self._directory = directory
        self._say = say
        self._stack = ExitStack()

    def close(self) -> None:
        """Stop the worker."""
        self._stack.close()

    def populate(self, facts: Iterable[Signup | Order], progress: Callable[[int], None]) -> int:
        """Bootstrap the states, as `segue bootstrap` does; return the number of users."""
        return fill(self._settings, lambda: facts, self._as_of, timedelta(hours=1), self._say, progress).users

    def users_by_segment(self) -> Counter[int]:
        """Count the users in Redis by segment."""
        with RedisUsers(self._settings) as users:
            return users.segments()

    def open(self) -> None:
        """Start a worker, and wait until all lanes are live; from before it on, the changes are read."""
        topics, client = self._settings.topics, self._settings.kafka_client
        self._reader = CommittedReader(client, [topics.changes, topics.dead_letters], from_beginning=False)
        self._stack.callback(self._reader.close)
        self._say("Starting a worker: segue worker…")
        self._worker = self._stack.enter_context(WorkerProcess(self._settings, self._directory))

    def play(self, events: Sequence[Outgoing], rate: float, audience: Audience) -> Played:
        """Send the events from a thread, and read the changes and dead letters meanwhile."""
        with ExitStack() as stack:
            sending = _Sending(self._settings, events, rate, audience)
            stack.callback(sending.stop)
            began = time.monotonic()
            sending.start()
            arrived = self._read(sending, audience)
            seconds = time.monotonic() - began
        latencies = [at - sending.written_ms[where] for where, at in arrived if where in sending.written_ms]
        return Played(len(events), seconds, latencies, sending.written)

    def _read(self, sending: _Sending, audience: Audience) -> list[tuple[Where, float]]:
        """Read until the lanes have applied all events, have decided all due users, and all output is read.

        Returns:
            For each change the place of its cause, and when the change was read, in milliseconds since 1970.
        """
        arrived: list[tuple[Where, float]] = []
        ends: Ends | None = None
        look = moved = time.monotonic()
        while ends is None or not self._reader.has_reached(ends):
            message = self._reader.poll(_POLL_S)
            now = time.monotonic()
            if message is not None:
                moved = now
                self._report(message, audience, arrived)
            if ends is None and now >= look:
                look = now + _LOOK_S
                self._worker.check()
                sending.check()
                if sending.done and self._all_taken(sending.ends()):
                    ends = self._reader.ends()
            if sending.done and now - moved > _STILL_S:
                raise SegueError(
                    f"no output for {_STILL_S:.0f} s, but events are left: see the log in {self._directory}"
                )
        return arrived

    def _report(self, message: Message, audience: Audience, arrived: list[tuple[Where, float]]) -> None:
        at_ms = time.time() * 1000
        if message.topic() == self._settings.topics.dead_letters:
            audience.dead_letter(_reason(message))
            return
        value = message.value()
        assert value is not None
        change: Change = decode_change(value)
        cause = change.cause
        if cause.topic is not None and cause.partition is not None and cause.offset is not None:
            arrived.append(((cause.topic, cause.partition, cause.offset), at_ms))
        audience.change(change)

    def _all_taken(self, ends: dict[tuple[str, int], int]) -> bool:
        """Whether each lane's place is after all events that were sent to the lane, and no user is due."""
        with RedisUsers(self._settings) as users:
            today = datetime.now(UTC).date()
            if any(users.due(lane, today) for lane in range(self._settings.partitions)):
                return False
            for (topic, lane), end in ends.items():
                place = users.place(lane)
                if place is None or place.positions[topic] < end:
                    return False
        return True

    def remove(self) -> None:
        """Delete the run's topics, group and keys from servers that the demo did not start."""
        admin = Admin(self._settings.kafka_client, _CLEAN_S)
        names = list(topic_configs(self._settings.topics))
        for future in admin.kafka.delete_topics(names, request_timeout=_CLEAN_S).values():
            future.exception(_CLEAN_S)  # ignore errors: the topic may not exist
        groups = admin.kafka.delete_consumer_groups([self._settings.group], request_timeout=_CLEAN_S)
        for gone in groups.values():
            gone.exception(_CLEAN_S)
        with closing(connect(self._settings.redis)) as client:
            for key in client.scan_iter(match=f"{self._settings.redis_prefix}*", count=10_000):
                client.unlink(key)


def _reason(message: Message) -> str:
    """Return the reason of a dead letter."""
    headers = message.headers()
    reason = dict(headers).get(REASON) if isinstance(headers, list) else None
    return reason.decode() if isinstance(reason, bytes) else "no reason given"


class _Sending(threading.Thread):
    """Sends the events, and notes the place and the time of each written record."""

    def __init__(
        self, settings: Settings, events: Sequence[Outgoing], rate: float, audience: Audience
    ) -> None:
        super().__init__(name="demo-sending", daemon=True)
        self._events = events
        self._audience = audience
        self._stopped = threading.Event()
        self._failed: BaseException | None = None
        self._sender = Sender(
            settings.kafka_client, settings.partitioner, rate=rate, delivered=self._delivered
        )
        self.done = False
        self.written: list[tuple[bytes | None, Where]] = []
        self.written_ms: dict[Where, float] = {}

    def run(self) -> None:
        try:
            self._sender.send(self._until_stopped(), self._audience.sent)
        except BaseException as error:  # noqa: BLE001 - check() raises it again
            self._failed = error
        self.done = True

    def _until_stopped(self) -> Iterable[Outgoing]:
        for event in self._events:
            if self._stopped.is_set():
                return
            yield event

    def _delivered(self, event: Outgoing, message: Message) -> None:
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        assert topic is not None
        assert partition is not None
        assert offset is not None
        where = (topic, partition, offset)
        self.written.append((event.key, where))
        self.written_ms[where] = message.timestamp()[1]

    def ends(self) -> dict[tuple[str, int], int]:
        """Return the offset after the last event sent, by topic and partition."""
        ends: dict[tuple[str, int], int] = {}
        for _, (topic, partition, offset) in self.written:
            ends[topic, partition] = max(offset + 1, ends.get((topic, partition), 0))
        return ends

    def check(self) -> None:
        """Raise the error that ended the sending, if there is one."""
        if self._failed is not None:
            raise self._failed

    def stop(self) -> None:
        """Stop the sending, and wait for its end."""
        self._stopped.set()
        if self.ident is not None:
            self.join()
