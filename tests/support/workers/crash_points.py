"""Run a worker's lanes in a separate process that stops at a chosen step.

The process patches the steps; the product has no hook. Only the steps of lane 0 count; the other lane dies
with the process at any step. The producer is flushed before the process dies, so the log keeps an open
transaction.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial, wraps
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal, NamedTuple
from unittest.mock import patch

import confluent_kafka
import redis
from confluent_kafka import KafkaError, KafkaException

from schemas.errors import Unreachable
from segue import build_worker as product
from segue.config.settings import Settings
from streamer.kafka import kafka_writer
from streamer.kafka.kafka_log import KafkaLog
from streamer.kafka.kafka_writer import Writer
from streamer.lane.lane import Lane
from streamer.redis.redis_store import RedisStore
from streamer.status.worker_metrics import Metrics
from streamer.takeover import healing
from streamer.worker.lane_boards import StatusBoard
from streamer.worker.lane_threads import LaneThreads
from tests.support.servers.services import HANG_S, eventually

LANE = 0
# Half of the transaction timeout: the broker must not end the transaction of a dead process for the test.
DEADLINE_S = 300
TRANSACTION_TIMEOUT_MS = 600_000
LOST_ANSWER = "a test lost the answer"

When = Literal["before", "after", "answer lost:", "never done:"]
Ends = dict[int, dict[str, int]]
"""The next offset of each input, by lane."""

PRODUCER_STEPS = {
    "begin_transaction": "begin",
    "produce": "send",
    "send_offsets_to_transaction": "offsets",
    "commit_transaction": "commit",
}


class Point(NamedTuple):
    """Where to stop: at the ``nth`` time that the lane comes to a step.

    A process dies ``before`` a step or ``after`` it. A process whose answer is lost lives on: the step fails,
    and the process cannot know whether the step was done. A step has a plain name, or a name with the part of
    the takeover or the save around it: "save of heal".
    """

    when: When
    step: str
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.when} {self.step}"


class Steps:
    """Count how often the lane comes to the point's step, and stop at the point."""

    def __init__(self, tell: Callable[[object], None]) -> None:
        self._tell = tell
        self._point: Point | None = None
        self._times = 0
        self._scopes = [""]

    def stop_at(self, point: Point | None) -> None:
        """Restart the count, and stop at this point."""
        self._point, self._times = None, 0
        self._point = point

    def watch(self) -> None:
        """Patch every step in this process."""
        self._patch(Lane, "take_over", "takeover", scope=" of takeover")
        self._patch(Writer, "fence", "fence")
        self._patch(healing, "fold_inputs", "heal", scope=" of heal")
        self._patch(healing, "adopt", "adopt", scope=" of adopt")
        self._patch(KafkaLog, "read_from", "follow")
        self._patch(RedisStore, "load", "load")
        self._patch(RedisStore, "save", "save", scope=" of save")
        self._patch(redis.Redis, "execute_command", "command")
        producer = type("Producer", (confluent_kafka.Producer,), {})
        for method, step in PRODUCER_STEPS.items():
            self._patch(producer, method, step)
        patch.object(kafka_writer, "Producer", producer).start()

    def _patch(self, owner: object, name: str, step: str, *, scope: str | None = None) -> None:
        """Patch a step.

        Args:
            scope: the suffix of the names of all steps inside this one.
        """
        function = getattr(owner, name)

        @wraps(function)
        def stepped(*args: Any, **options: Any) -> Any:
            if not _in_the_lane():
                return function(*args, **options)
            when = self._reached(step)
            if when == "before":
                self._die(args)
            if when == "never done:":
                raise self._lost(step)
            self._scopes.append(scope or self._scopes[-1])
            try:
                result = function(*args, **options)
            finally:
                self._scopes.pop()
            if when == "after":
                self._die(args)
            if when == "answer lost:":
                raise self._lost(step)
            return result

        setattr(owner, name, stepped)

    def _reached(self, step: str) -> When | None:
        """Return how to stop if this is the chosen step, else None."""
        point = self._point
        if point is None or point.step not in (step, step + self._scopes[-1]):
            return None
        self._times += 1
        return point.when if self._times == point.nth else None

    def _die(self, args: tuple[Any, ...]) -> None:
        if args and isinstance(args[0], confluent_kafka.Producer):
            assert args[0].flush(HANG_S) == 0
        self._tell(self._point)
        os.kill(os.getpid(), signal.SIGKILL)

    def _lost(self, step: str) -> Exception:
        self._tell(self._point)
        if step in PRODUCER_STEPS.values():
            return KafkaException(KafkaError(KafkaError._TIMED_OUT, LOST_ANSWER))
        return Unreachable(LOST_ANSWER)


def _in_the_lane() -> bool:
    """Return whether this thread is the watched lane's: its own, or a helper thread named after it."""
    name, _, number = threading.current_thread().name.partition("-")
    return (name, number.partition("-")[0]) == ("lane", str(LANE))


def run_lanes(connection: Connection, values: dict[str, Any], log: Path, point: Point | None) -> None:
    """Run all lanes in threads, without a consumer group, until the connection receives None.

    After a point, the lanes stop at that point. After ends, the answer follows when every lane has reached
    its ends.
    """
    _write_to(log)
    faulthandler.enable()
    steps = Steps(connection.send)
    steps.watch()
    steps.stop_at(point)
    settings = Settings.model_validate({**values, "transaction_timeout_ms": TRANSACTION_TIMEOUT_MS})
    releases = product._started(settings)
    all_lanes = frozenset(range(settings.partitions))
    open_lane = product._open_lane(settings, settings.partitions, releases)
    lanes = LaneThreads(open_lane, lambda _: True, StatusBoard(Metrics()))
    lanes.own(all_lanes)
    with suppress(EOFError):  # the parent process has ended
        while (told := connection.recv()) is not None:
            if isinstance(told, Point):
                steps.stop_at(told)
            else:
                at_the_ends = partial(_at, lanes, told)
                eventually(at_the_ends, "every lane at its end", deadline_s=DEADLINE_S, every_s=0.01)
            connection.send(told)
    lanes.disown(all_lanes)
    releases.close()


def _at(lanes: LaneThreads, ends: Ends) -> bool:
    failure = lanes.failure()
    if failure is not None:
        raise failure
    told = {lane.partition: (lane.phase, lane.positions) for lane in lanes.statuses()}
    assert told == {partition: ("live", positions) for partition, positions in ends.items()}, told
    return True


def _write_to(log: Path) -> None:
    with log.open("ab") as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
