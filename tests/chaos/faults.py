"""What befalls the servers and the workers; each fault mends what it broke before it returns."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

import redis

from segue.services import LocalKafka, LocalRedis
from tests.aof import cut_inside_save
from tests.deployment import Deployment, WorkerProcess
from tests.services import eventually

SESSION_S = 6.0  # tests/deployment.py sets it
_LOST_S = 1.0  # what AOF with everysec may lose
_TRIES = 20  # so many seconds in which nothing is written
_FEWEST, _MOST = 2, 4


class Servers:
    """The faults of Kafka and Redis.

    Attributes:
        cut_bytes: what each cut took from the append-only file.
    """

    def __init__(self, kafka: LocalKafka, store: LocalRedis, random: Random) -> None:
        self._kafka = kafka
        self._store = store
        self._random = random
        self.cut_bytes: list[int] = []
        self.kinds: dict[str, tuple[Callable[[], None], int]] = {
            "kill -9 of Kafka": (self._kill_kafka, 2),
            "SIGSTOP of Kafka": (self._pause_kafka, 2),
            "kill -9 of Redis, its AOF's tail cut": (self._cut_redis, 5),
            "kill -9 of Redis, its AOF cut inside a save, and a restart in peace": (self._tear_redis, 3),
            "SIGSTOP of Redis": (self._pause_redis, 2),
            "restart of Redis": (self._restart_redis, 1),
            "FLUSHALL of Redis": (self._empty_redis, 1),
        }

    def _kill_kafka(self) -> None:
        self._kafka.kill()
        time.sleep(self._random.uniform(0, 3))
        self._kafka.start()

    def _pause_kafka(self) -> None:
        self._kafka.pause()
        time.sleep(self._random.uniform(0.5, 2 * SESSION_S))
        self._kafka.resume()

    def _pause_redis(self) -> None:
        self._store.pause()
        time.sleep(self._random.uniform(0.5, 2 * SESSION_S))
        self._store.resume()

    def _restart_redis(self) -> None:
        self._store.restart()

    def _empty_redis(self) -> None:
        with redis.Redis.from_url(self._store.url, socket_timeout=60) as client:
            client.flushall()

    def _cut_redis(self) -> None:
        """Lose up to the last second, as a machine does that dies: killing the process alone loses nothing.

        Where nothing was written in that second, in a rebalance say, it waits for one in which something was.
        """
        before = self._written_to()
        self._store.kill()
        after = _aof_sizes(self._store.data)
        lost = 0
        for path, written in _written(before, after).items():
            cut = self._random.randint(1, written)
            with path.open("r+b") as file:
                file.truncate(after[path] - cut)
            lost += cut
        self.cut_bytes.append(lost)
        time.sleep(self._random.uniform(0, 2))
        self._store.start()

    def _tear_redis(self) -> None:
        """The head of a lost save stays in the file, saves are appended behind it, and the next start runs it."""
        self._written_to()
        self._store.kill()
        self.cut_bytes.append(cut_inside_save(self._store.data, self._random))
        self._store.start()
        self._written_to()
        self._store.restart()

    def _written_to(self) -> dict[Path, int]:
        """The sizes of the files a second ago, once one has grown since."""
        for _ in range(_TRIES):
            before = _aof_sizes(self._store.data)
            time.sleep(_LOST_S)
            if _written(before, _aof_sizes(self._store.data)):
                break
        return before


def _written(before: Mapping[Path, int], after: Mapping[Path, int]) -> dict[Path, int]:
    """By file of both moments, how many bytes it grew by, of those that grew."""
    return {path: size - before[path] for path, size in after.items() if size > before.get(path, size)}


def _aof_sizes(data: Path) -> dict[Path, int]:
    """The increments of the append-only file; the base is written at once and whole."""
    return {path: path.stat().st_size for path in data.glob("appendonlydir/*.incr.aof")}


class Workers:
    """Two to four workers, and what befalls them.

    A worker ends only by our hand: one that ends by itself fails the campaign.
    """

    def __init__(self, deployment: Deployment, random: Random) -> None:
        self._deployment = deployment
        self._random = random
        self._alive: list[WorkerProcess] = []
        self._lock = threading.Lock()
        self.kinds: dict[str, tuple[Callable[[], None], int]] = {
            "kill -9 of a worker": (self._kill, 4),
            "SIGSTOP of a worker beyond its session": (self._pause, 2),
            "SIGSTOP of a worker within its session": (self._hold, 1),
            "SIGTERM of a worker": (self._stop, 1),
            "one worker more": (self._join, 1),
        }

    def start(self, count: int) -> None:
        for _ in range(count):
            self._alive.append(self._deployment.worker())
        for worker in self._alive:
            worker.ready()

    def check(self) -> None:
        """Raises where a worker has ended that nobody ended."""
        with self._lock:
            for worker in self._alive:
                ended = worker.process.poll()
                assert ended is None, f"a worker ended by itself, with {ended}: {worker.log()[-3_000:]}"

    def _take(self) -> WorkerProcess:
        with self._lock:
            return self._alive.pop(self._random.randrange(len(self._alive)))

    def _fill_up(self) -> None:
        with self._lock:
            while len(self._alive) < _FEWEST:
                self._alive.append(self._deployment.worker())

    def _kill(self) -> None:
        self._take().kill()
        time.sleep(self._random.uniform(0, 3))
        self._join()

    def _stop(self) -> None:
        worker = self._take()
        code = worker.stop()
        if code in (-signal.SIGTERM, 128 + signal.SIGTERM) and not worker.log():
            code = 0  # it was still being loaded, and ends as any process or any command does
        assert code == 0, f"SIGTERM ended a worker with {code}: {worker.log()[-3_000:]}"
        self._fill_up()

    def _join(self) -> None:
        with self._lock:
            if len(self._alive) < _MOST:
                self._alive.append(self._deployment.worker())

    def _pause(self) -> None:
        self._paused(self._random.uniform(1.1, 2) * SESSION_S)

    def _hold(self) -> None:
        self._paused(self._random.uniform(0.1, 0.8) * SESSION_S)

    def _paused(self, seconds: float) -> None:
        with self._lock:
            worker = self._random.choice(self._alive)
        worker.pause()
        time.sleep(seconds)
        worker.resume()

    def steady(self) -> None:
        """In the end every worker that lives is ready."""
        self.check()
        for worker in self._alive:
            eventually(lambda worker=worker: worker.get("/readyz")[0] == 200, "a worker is ready again")
