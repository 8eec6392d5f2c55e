"""The lanes that the consumer group assigns to this process, one thread each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

import structlog
from confluent_kafka import Consumer, TopicPartition

from schemas.errors import SegueError, Unreachable
from streamer.interfaces.lane_errors import InDoubt, LaneClosing, NotReady
from streamer.interfaces.lane_interfaces import Log
from streamer.kafka.kafka_client import Config, Reports, check_may_read, make_client, unreachable

POLL_S = 0.2
WAIT_S = 0.5
MOST_WAIT_S = 8.0
CLOSE_S = 14.0

log = structlog.get_logger("segue.lanes")

Place = TypeVar("Place")
Place_co = TypeVar("Place_co", covariant=True)


class GroupLane(Protocol[Place_co]):
    """One partition of a topic, and the work on it."""

    @property
    def place(self) -> Place_co | None:
        """How far the lane has come; None before its first takeover."""

    def take_over(self) -> None:
        """Forget what is not committed, become the only writer, and find where to go on."""

    def step(self, timeout_s: float) -> None:
        """Do a part of the work; wait for new records at most for this time."""

    def close(self) -> None:
        """End in order."""

    def give_up(self) -> None:
        """End at once; another lane does again what is not committed."""


OpenLane = Callable[[int, Callable[[], bool]], tuple[GroupLane[Place], Log]]
"""Opens the lane of a partition; its second argument says whether the lane must close."""

_TAKE_OVER = (InDoubt, NotReady, Unreachable)


class LaneWorker(threading.Thread, Generic[Place]):
    """One lane: it takes itself over when it begins and when it is in doubt, and closes when asked."""

    def __init__(self, group: str, partition: int, open_lane: OpenLane[Place]) -> None:
        super().__init__(name=f"{group}-{partition}", daemon=True)
        self._group = group
        self.partition = partition
        self.failure: BaseException | None = None
        self.place: Place | None = None
        self._open_lane = open_lane
        self._closing = threading.Event()
        self._wait_s = WAIT_S

    def ask_to_close(self) -> None:
        """Ask the lane to end in order; it does so in its own thread."""
        self._closing.set()

    def run(self) -> None:
        """Work until the lane must close; an error that waiting does not mend is kept in ``failure``."""
        try:
            while not self._closing.is_set():
                lane, kafka = self._open_lane(self.partition, self._closing.is_set)
                try:
                    while not self._closing.is_set() and self._live(lane):
                        pass
                finally:
                    lane.give_up()
                    kafka.close()
        except BaseException as error:
            self.failure = error
            if not isinstance(error, SegueError):
                log.exception("lane failed", group=self._group, lane=self.partition)

    def _live(self, lane: GroupLane[Place]) -> bool:
        """Take the lane over and run it until it closes or must take itself over again.

        Returns:
            Whether its connections still serve; see `_LaneThread` in `streamer/worker/lane_threads.py`.
        """
        try:
            lane.take_over()
            self._wait_s = WAIT_S
            self.place = lane.place
            with suppress(LaneClosing):
                while not self._closing.is_set():
                    lane.step(POLL_S)
                    self.place = lane.place
            lane.close()
            self.place = lane.place
        except LaneClosing:
            pass
        except _TAKE_OVER as reason:
            if self._closing.is_set():
                return True  # what is not committed is sent again by the next owner
            log.warning("lane waits", group=self._group, lane=self.partition, reason=str(reason))
            self._closing.wait(self._wait_s)
            self._wait_s = min(2 * self._wait_s, MOST_WAIT_S)
            return not isinstance(reason, Unreachable)
        return True


class GroupMember(Generic[Place]):
    """A member of the group that reads nothing itself: its partitions become lanes.

    Args:
        client: librdkafka's settings of a client.
        group: the consumer group.
        topic: the topic whose partitions the group shares.
        options: further settings of the consumer.
        open_lane: opens a lane.
    """

    def __init__(
        self, client: Config, group: str, topic: str, options: Config, open_lane: OpenLane[Place]
    ) -> None:
        config = {
            **client,
            **options,
            "group.id": group,
            "enable.auto.commit": False,
            "auto.offset.reset": "latest",
            "partition.assignment.strategy": "range",
        }
        self._client, self._group, self._topic = client, group, topic
        self._open_lane = open_lane
        self._workers: dict[int, LaneWorker[Place]] = {}
        self.places: dict[int, Place] = {}
        self._leaving = False
        self._reports = Reports()
        self._consumer = make_client(Consumer, config, self._reports)
        self._consumer.subscribe(
            [topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked
        )

    def look(self) -> None:
        """Take part in the group for a moment.

        Raises:
            LoginRefused: this login may not read the topic, or not in this group.
            Unreachable: Kafka will not take this member any more.
            SegueError: a lane has ended with an error that waiting does not mend.
        """
        # Partitions are paused, so there is no record; but Kafka's refusals come here.
        message = self._consumer.poll(POLL_S)
        error = None if message is None else message.error()
        if error is not None:
            check_may_read(error, self._client, self._topic, self._group)
            if error.fatal():
                raise unreachable(self._client, f"let the group {self._group} in", self._reports, error)
        for worker in self._workers.values():
            if worker.failure is not None:
                raise worker.failure

    def is_live(self) -> bool:
        """Return whether this process has lanes, and each of them knows where it begins."""
        return bool(self._workers) and all(w.place is not None for w in self._workers.values())

    def close(self) -> None:
        """Close every lane in order, and leave the group."""
        self._close(list(self._workers))
        self._leaving = True
        self._consumer.close()

    def counted(self) -> list[Place]:
        """Return the newest place of each lane that this process has, or had when it left the group."""
        self.places |= {w.partition: w.place for w in self._workers.values() if w.place is not None}
        return [place for _, place in sorted(self.places.items())]

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.assign(partitions)
        consumer.pause(partitions)
        numbers = sorted(each.partition for each in partitions)
        log.info("lanes owned", group=self._group, lanes=numbers)
        for number in numbers:
            if number not in self._workers:
                self._workers[number] = LaneWorker(self._group, number, self._open_lane)
                self._workers[number].start()

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        numbers = [each.partition for each in partitions]
        self._close(numbers)
        if not self._leaving:
            # Another process counts them from now on.
            for number in numbers:
                self.places.pop(number, None)
        consumer.unassign()

    def _close(self, partitions: Iterable[int]) -> None:
        """Close these lanes at the same time; the next owner fences one that hangs."""
        workers = [self._workers[number] for number in partitions if number in self._workers]
        for worker in workers:
            worker.ask_to_close()
        end_s = time.monotonic() + CLOSE_S
        for worker in workers:
            worker.join(max(0.0, end_s - time.monotonic()))
        self.counted()
        for worker in workers:
            del self._workers[worker.partition]
