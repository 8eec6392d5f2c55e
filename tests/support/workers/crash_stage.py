"""The stage of a crash case: its topics, keys and events, and the processes that run its lanes."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, Self

import redis
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.input_events import Event, Item, Order, Signup, UserErased
from schemas.inputs.decode import encode_order, encode_signup
from schemas.partitioner import librdkafka_name, partition_of
from schemas.topics import topic_configs
from tests.support.servers.deployment import Deployment
from tests.support.servers.services import HANG_S
from tests.support.workers.crash_points import DEADLINE_S, LANE, Ends, Point, run_lanes
from tests.support.worlds.made_up_release import a_release

PARTITIONS = 2
MAX_BATCH = 6
START = datetime(2024, 3, 1, tzinfo=UTC)
USERS = tuple(str(number) for number in range(1, 41))

Sent = Event | tuple[str, bytes]
"""An event, or the key and the value of an unreadable order."""

_PROCESSES = multiprocessing.get_context("forkserver")
# The server imports the module once, so that a process costs a fork and no imports.
_PROCESSES.set_forkserver_preload([run_lanes.__module__])
# Each start polls all processes for an end, and an exit code can be read only once.
_KEEPING = threading.Lock()


def profiles() -> list[Sent]:
    """Return the records of ``signups``: most users, later updates of some users, and erasures.

    Some erased users have later orders, others have none. An erasure comes more than a batch after the user's
    other records: otherwise the headers of these records have the time of the erasure.
    """
    told: list[Sent] = [
        Signup(user_id, START, 20 + 2 * number, "FM"[number % 2], "Spain", ("Email", "Search")[number % 2])
        for number, user_id in enumerate(USERS)
        if number % 5
    ]
    told += [Signup(user_id, START + timedelta(hours=1), age=70) for user_id in USERS[1::7]]
    told += [UserErased(user_id, START + timedelta(hours=12)) for user_id in USERS[2:30:7]]
    told += [UserErased(user_id, START + timedelta(days=30)) for user_id in USERS[3:30:7]]
    return told


def purchases() -> list[Sent]:
    """Return the records of ``orders``: three orders a user, some older versions, some unreadable orders."""
    told: list[Sent] = []
    for turn in range(3):
        for number, user_id in enumerate(USERS):
            what = number + 2 * turn
            item = Item(("Carhartt", "Allegra K", "Ön", "Nobody's")[what % 4], ("Jeans", "Socks")[what % 2])
            at = START + timedelta(days=1 + turn, minutes=number)
            told.append(Order(user_id, f"{user_id}-{turn}", at, (item,) * (1 + turn)))
        told += [Order(user_id, f"{user_id}-0", START, (Item("Ön", "Socks"),)) for user_id in USERS[::9]]
        if turn == 1:
            told += [(user_id, b"{") for user_id in USERS[:6]]
    return told


class Stage:
    """A deployment with its lanes in processes of :func:`run_lanes`."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self._group = f"{deployment.prefix}group"
        self._begun: list[LaneProcess] = []
        self.sent: list[Sent] = []
        self.ends: Ends = {p: dict.fromkeys(deployment.topics.inputs, 0) for p in range(PARTITIONS)}
        deployment.announce(a_release())

    def send(self, what: Sequence[Sent]) -> None:
        """Write records to the inputs, and move ``ends`` to the new ends."""
        topics = self.deployment.topics
        producer = Producer(
            {"bootstrap.servers": self.deployment.bootstrap, "partitioner": librdkafka_name("murmur2")}
        )
        for one in what:
            if isinstance(one, tuple):
                topic, key, value = topics.orders, one[0].encode(), one[1]
            elif isinstance(one, Order):
                topic, (key, value) = topics.orders, encode_order(one)
            else:
                topic, (key, value) = topics.signups, encode_signup(one)
            assert key is not None
            producer.produce(topic, value, key)
            self.ends[partition_of(key.decode(), PARTITIONS)][topic] += 1
        assert producer.flush(HANG_S) == 0
        self.sent += what

    def process(self, point: Point | None = None) -> LaneProcess:
        """Start the lanes in a process that stops at the point."""
        values = {
            "kafka": self.deployment.bootstrap,
            "redis": self.deployment.redis_url,
            "topic_prefix": self.deployment.prefix,
            "redis_prefix": self.deployment.redis_prefix,
            "group": self._group,
            "partitions": PARTITIONS,
            "max_batch": MAX_BATCH,
        }
        begun = LaneProcess(values, self.deployment.folder / f"lanes-{len(self._begun)}.log", point)
        self._begun.append(begun)
        return begun

    def finish(self) -> None:
        """Let a process without faults do the remaining work."""
        self.process().reach(self.ends).close()

    def committed(self) -> Ends:
        """Return the group's committed offsets, even while a transaction is open."""
        inputs = self.deployment.topics.inputs
        config = {
            "bootstrap.servers": self.deployment.bootstrap,
            "group.id": self._group,
            "isolation.level": "read_uncommitted",
        }
        found: Ends = defaultdict(dict)
        with Consumer(config) as consumer:
            asked = [TopicPartition(topic, p) for p in range(PARTITIONS) for topic in inputs]
            for at in consumer.committed(asked, 20):
                found[at.partition][at.topic] = max(at.offset, 0)
        return dict(found)

    def in_the_middle(self) -> bool:
        """Return whether the watched lane has decided a part of the last input, but not all of it."""
        decided, ends = self.committed()[LANE], self.ends[LANE]
        signups, orders = self.deployment.topics.sources
        topic = orders if isinstance(self.sent[-1], Order) else signups
        return 0 < decided[topic] < ends[topic]

    def keys(self) -> dict[bytes, bytes]:
        """Return every key in Redis with its DUMP."""
        with self._redis() as client:
            return {
                key: client.dump(key) for key in client.scan_iter(f"{self.deployment.redis_prefix}*", 1_000)
            }

    def set_back(self, keys: dict[bytes, bytes]) -> None:
        """Replace all keys in Redis with these keys."""
        now = self.keys()
        with self._redis() as client:
            client.delete(*now)
            for key, value in keys.items():
                client.restore(key, 0, value)

    def _redis(self) -> redis.Redis:
        return redis.Redis.from_url(self.deployment.redis_url, socket_timeout=60)

    def close(self) -> None:
        """End the processes; delete keys and topics: the broker cannot hold the topics of all cases."""
        for process in self._begun:
            process.kill()
        self.deployment.close()
        admin = AdminClient({"bootstrap.servers": self.deployment.bootstrap})
        for deleted in admin.delete_topics(
            list(topic_configs(self.deployment.topics)), request_timeout=HANG_S
        ).values():
            deleted.result(HANG_S)


@contextmanager
def staged(deployment: Deployment) -> Iterator[Stage]:
    """Yield a stage, and close it in the end."""
    stage = Stage(deployment)
    try:
        yield stage
    finally:
        stage.close()


class LaneProcess:
    """A process that runs the lanes."""

    def __init__(self, values: dict[str, Any], log: Path, point: Point | None) -> None:
        self._log = log
        self._point = point
        self._connection, theirs = _PROCESSES.Pipe()
        with theirs:
            arguments = (theirs, values, log, point)
            self._process = _PROCESSES.Process(target=run_lanes, args=arguments, daemon=True)
            with _KEEPING:
                self._process.start()

    def stop_at(self, point: Point) -> Self:
        """Stop at this point; the count of its step starts now."""
        self._point = point
        self._asks(point)
        return self

    def reach(self, ends: Ends) -> Self:
        """Wait until every lane has reached these ends."""
        self._asks(ends)
        return self

    def died(self) -> None:
        """Wait until the process has reported the point and SIGKILL has ended it."""
        self._hears(self._point)
        self._ends(-signal.SIGKILL)

    def lost_an_answer(self) -> Self:
        """Wait until the process has reported the point."""
        self._hears(self._point)
        return self

    def close(self) -> None:
        """Ask the process to end, and check that it exits with 0."""
        self._connection.send(None)
        self._ends(0)

    def kill(self) -> None:
        self._process.kill()
        self._exit_code()
        self._connection.close()

    def log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else "it wrote nothing"

    def waited(self) -> bool:
        """Return whether the lane waited before its takeover: in doubt, or for a silent server."""
        return any(f"lane={LANE} phase=waiting" in " ".join(line.split()) for line in self.log().splitlines())

    def _asks(self, what: object) -> None:
        with suppress(ConnectionError):  # the wait for the answer reports why the process has ended
            self._connection.send(what)
        self._hears(what)

    def _hears(self, expected: object) -> None:
        try:
            # The process has a shorter deadline of its own, and its error says more.
            heard = self._connection.recv() if self._connection.poll(DEADLINE_S + 10) else "nothing"
        except (EOFError, ConnectionError):
            heard = f"that it ended with {self._exit_code()}"
        assert heard == expected, f"heard {heard} and not {expected}: {self.log()[-3_000:]}"

    def _ends(self, expected: int) -> None:
        code = self._exit_code()
        assert code == expected, f"ended with {code} and not {expected}: {self.log()[-3_000:]}"

    def _exit_code(self) -> int | None:
        """Wait for the end of the process; return its exit code, or None if it does not end."""
        wait([self._process.sentinel], DEADLINE_S)
        with _KEEPING:
            return self._process.exitcode
