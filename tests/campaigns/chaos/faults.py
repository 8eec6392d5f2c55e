"""The faults of servers and workers; each fault repairs its damage before it returns."""

from __future__ import annotations

import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import redis

from schemas.errors import BadTopics, NeedsRebuild
from segue.services import LocalKafka, LocalRedis
from tests.campaigns.chaos.deleted_keys import delete_one_by_one
from tests.campaigns.chaos.disks import Disk
from tests.campaigns.chaos.kafka_faults import SESSION_S, KafkaFaults
from tests.campaigns.chaos.standby import Standby, can_take_over
from tests.support.servers.aof import cut_inside_save
from tests.support.servers.deployment import Deployment, WorkerProcess
from tests.support.servers.services import HANG_S, eventually

_LOST_S = 1.0  # the most that an AOF with everysec may lose
_TRIES = 20  # the most seconds to wait for a write
_FEWEST, _MOST = 2, 4
_LOST_REBUILD = "a rebuild of this Redis prefix did not end"
_REMEDIES = ("`segue rebuild`", "begin again from the warehouse")
_EMPTIES = "FLUSHALL of Redis"
_DELETES = "the keys of Redis deleted one by one"
_TEARS = "kill -9 of Redis, its AOF cut inside a save, and a restart in peace"


class Servers(KafkaFaults):
    """The faults of Kafka and Redis.

    Attributes:
        store: the Redis that the workers use; a failover replaces it on the same port.
        cut_bytes: the bytes that each cut took from the append-only file.
        behind_bytes: the bytes that a replica lacked at each takeover.

    Args:
        disk: the disk for the files of each Redis.
        keeps_states: leave out the faults that lose all states of a lane, and repair a partial save after a
            crash, because the log cannot restore the states.
    """

    def __init__(
        self,
        kafka: LocalKafka,
        store: LocalRedis,
        disk: Disk,
        random: Random,
        *,
        keeps_states: bool = False,
    ) -> None:
        super().__init__(kafka, random)
        self.store = store
        self._disk = disk
        self.cut_bytes: list[int] = []
        self.behind_bytes: list[int] = []
        self.kinds |= {
            "kill -9 of Redis, its AOF's tail cut": (self._cut_redis, 5),
            _TEARS: (self._tear_redis, 3),
            "SIGSTOP of Redis": (self._pause_redis, 2),
            "restart of Redis": (self._restart_redis, 1),
            _EMPTIES: (self._empty_redis, 1),
            _DELETES: (self._delete_keys, 1),
        }
        if disk.can_fill:
            self.kinds["a full disk under Redis"] = (self._fill_disk, 2)
        self._keeps_states = keeps_states
        if keeps_states:
            del self.kinds[_EMPTIES], self.kinds[_DELETES], self.kinds[_TEARS]
        if can_take_over():
            self.kinds["kill -9 of Redis, and a replica that lacks the newest writes takes over"] = (
                self._fail_over,
                3,
            )

    def close(self) -> None:
        """End the present Redis."""
        self.store.close()

    def _pause_redis(self) -> None:
        self.store.pause()
        time.sleep(self._random.uniform(0.5, 2 * SESSION_S))
        self.store.resume()

    def _restart_redis(self) -> None:
        self.store.restart()

    def _empty_redis(self) -> None:
        with redis.Redis.from_url(self.store.url, socket_timeout=60) as client:
            client.flushall()

    def _delete_keys(self) -> None:
        delete_one_by_one(self.store.url, self._random)

    def _fail_over(self) -> None:
        """Fail over: the new primary lacks the writes since the replica fell behind."""
        folder = self._disk.folder / f"replica-{len(self.behind_bytes)}"
        standby = Standby(folder, repair=self._keeps_states)
        try:
            standby.start()
            standby.follow(self.store)
            time.sleep(self._random.uniform(0, 2))
            standby.fall_behind(self.store, _TRIES * _LOST_S, self._random.uniform(0, 2 * _LOST_S))
            self.behind_bytes.append(standby.succeed(self.store, self._random.uniform(0, 2)))
        except BaseException:
            standby.close()
            raise
        former, self.store = self.store, standby
        shutil.rmtree(former.directory)

    def _fill_disk(self) -> None:
        """Fill the disk: Redis refuses writes until the disk has room again."""
        with self._disk.full(), redis.Redis.from_url(self.store.url, socket_timeout=60) as client:
            eventually(lambda: _refuses(client), "Redis refuses to write", every_s=0.1)
            time.sleep(self._random.uniform(0, 5))
        with redis.Redis.from_url(self.store.url, socket_timeout=60) as client:
            eventually(lambda: not _refuses(client), "Redis writes again", every_s=0.1)
            # As docs/redis.md says: the file may have a hole, and Redis could not start with it.
            client.bgrewriteaof()
            eventually(lambda: not _rewrites(client), "Redis has written its file anew", every_s=0.1)

    def _cut_redis(self) -> None:
        """Lose up to a second of writes, as a crash of the machine does; a kill of the process loses nothing.

        Without writes, for example in a rebalance, the fault waits for a second with writes.
        """
        before = written_to(self.store)
        self.store.kill()
        self.cut_bytes.append(cut_since(before, self.store, self._random))
        time.sleep(self._random.uniform(0, 2))
        self.store.start()

    def _tear_redis(self) -> None:
        """Leave a partial save in the file, append further saves after it, and restart Redis."""
        self.cut_bytes.append(tear(self.store, self._random))


def written_to(store: LocalRedis) -> dict[Path, int]:
    """Wait for a second in which a file grows; return the sizes at its beginning."""
    before: dict[Path, int] = {}
    for _ in range(_TRIES):
        before = _aof_sizes(store.data)
        time.sleep(_LOST_S)
        if _written(before, _aof_sizes(store.data)):
            break
    return before


def cut_since(before: Mapping[Path, int], store: LocalRedis, random: Random) -> int:
    """Cut off a part of what was written since then; the server must be dead. Return the bytes cut off."""
    after, lost = _aof_sizes(store.data), 0
    for path, written in _written(before, after).items():
        cut = random.randint(1, written)
        with path.open("r+b") as file:
            file.truncate(after[path] - cut)
        lost += cut
    return lost


def tear(store: LocalRedis, random: Random) -> int:
    """Leave a partial save in the file, append further saves, and restart; return the bytes cut off."""
    written_to(store)
    store.kill()
    cut = cut_inside_save(store.data, random)
    store.start()
    written_to(store)
    store.restart()
    return cut


def _written(before: Mapping[Path, int], after: Mapping[Path, int]) -> dict[Path, int]:
    """Return the growth in bytes of each file that grew and was there before."""
    return {path: size - before[path] for path, size in after.items() if size > before.get(path, size)}


def _aof_sizes(data: Path) -> dict[Path, int]:
    """Return the sizes of the append-only file's increments; Redis writes the base file in one piece."""
    return {path: path.stat().st_size for path in data.glob("appendonlydir/*.incr.aof")}


def _refuses(client: redis.Redis) -> bool:
    """Try to write a foreign key; return whether Redis refuses writes."""
    try:
        client.set("chaos", "x" * 5_000)
        client.delete("chaos")
    except redis.ResponseError as error:
        if str(error).startswith("MISCONF"):
            return True
        raise
    return False


def _rewrites(client: Any) -> bool:
    told = client.info("persistence")
    return bool(told["aof_rewrite_in_progress"] or told["aof_rewrite_scheduled"])


class Workers:
    """Two to four workers, and their faults.

    A worker that ends by itself fails the campaign.

    Args:
        disk: the disk for their standard error.
        may_ask: whether a worker may end and ask for a rebuild, because the log is not the whole past.
    """

    def __init__(self, deployment: Deployment, disk: Disk, random: Random, *, may_ask: bool = False) -> None:
        self._deployment = deployment
        self._disk = disk
        self._may_ask = may_ask
        self._may_miss_a_topic = False
        self._random = random
        self._alive: list[WorkerProcess] = []
        self._started: list[WorkerProcess] = []
        self._lock = threading.Lock()
        self.kinds: dict[str, tuple[Callable[[], None], int]] = {
            "kill -9 of a worker": (self._kill, 4),
            "SIGSTOP of a worker beyond its session": (self._pause, 2),
            "SIGSTOP of a worker within its session": (self._hold, 1),
            "SIGTERM of a worker": (self._stop, 1),
            "one worker more": (self._join, 1),
        }
        if disk.can_fill:
            self.kinds["a full disk under the workers' standard error"] = (self._fill_disk, 1)

    def start(self, count: int) -> None:
        for _ in range(count):
            self._start()
        for worker in self._alive:
            worker.ready()

    def ask_for_rebuild(self) -> bool:
        """Return whether a worker has ended and asked for a rebuild.

        Raises:
            AssertionError: a worker has ended by itself for another reason.
        """
        with self._lock:
            ended = [
                worker
                for worker in self._alive
                if worker.process.poll() is not None and not self._misses_a_topic(worker)
            ]
        for worker in ended:
            assert self._asks(worker), (
                f"a worker ended by itself, with {worker.process.returncode}: {worker.log()[-3_000:]}"
            )
        return bool(ended)

    @contextmanager
    def topic_away(self) -> Iterator[None]:
        """Let workers end for a missing topic during the context; replace them at its end."""
        self._may_miss_a_topic = True
        try:
            yield
            self.replace_ended()
        finally:
            self._may_miss_a_topic = False

    def replace_ended(self) -> None:
        """Start another worker for each worker that ended for a missing topic."""
        with self._lock:
            for worker in [worker for worker in self._alive if self._misses_a_topic(worker)]:
                self._alive.remove(worker)
                self._start()

    def _misses_a_topic(self, worker: WorkerProcess) -> bool:
        log = worker.log()
        return (
            self._may_miss_a_topic
            and worker.process.poll() == BadTopics.exit_code
            and "does not exist: `segue worker`" in log
            and "Traceback" not in log
        )

    def _asks(self, worker: WorkerProcess) -> bool:
        log = worker.log()
        was_cut = not log.endswith("\n")  # its disk was full
        names_a_remedy = any(remedy in log for remedy in _REMEDIES)
        return (
            worker.process.returncode == NeedsRebuild.exit_code
            and ((self._may_ask and (names_a_remedy or was_cut)) or _LOST_REBUILD in log)
            and "Traceback" not in log
        )

    def renew(self) -> None:
        """Replace each worker by a worker with the present settings; wait for the end of all old ones."""
        with self._lock:
            before = [*self._started]
            old = [*self._alive]
        for worker in old:
            with self._lock:
                if worker not in self._alive:  # another fault has ended the worker
                    continue
                self._alive.remove(worker)
                self._start()
            self._ended_in_order(worker)
        for worker in before:
            worker.process.wait(HANG_S)

    def _take(self) -> WorkerProcess:
        with self._lock:
            return self._alive.pop(self._random.randrange(len(self._alive)))

    def _fill_up(self) -> None:
        with self._lock:
            while len(self._alive) < _FEWEST:
                self._start()

    def _kill(self) -> None:
        self._take().kill()
        time.sleep(self._random.uniform(0, 3))
        self._join()

    def _stop(self) -> None:
        self._ended_in_order(self._take())
        self._fill_up()

    def _ended_in_order(self, worker: WorkerProcess) -> None:
        code, log = worker.stop(), worker.log()
        began = '"web.listens"' in log
        if (
            code in (-signal.SIGTERM, 128 + signal.SIGTERM)
            and not began
            and log.strip()[-11:] in ("", "Terminated.")
        ):
            code = 0  # the worker was still loading: it ends by the signal, as any process or command
        assert code == 0 or self._asks(worker) or self._misses_a_topic(worker), (
            f"SIGTERM ended a worker with {code}: {worker.log()[-3_000:]}"
        )

    def _start(self) -> None:
        worker = self._deployment.worker()
        self._started.append(worker)
        self._alive.append(worker)

    def _join(self) -> None:
        with self._lock:
            if len(self._alive) < _MOST:
                self._start()

    def _pause(self) -> None:
        self._paused(self._random.uniform(1.1, 2) * SESSION_S)

    def _hold(self) -> None:
        self._paused(self._random.uniform(0.1, 0.8) * SESSION_S)

    def _fill_disk(self) -> None:
        """Fill the disk under the logs: the workers continue without a log.

        No worker starts meanwhile, because it could not log its port.
        """
        with self._lock:
            for worker in self._alive:
                eventually(partial(_listens_or_ended, worker), "it listens")
            with self._disk.full():
                time.sleep(self._random.uniform(2, 10))

    def _paused(self, seconds: float) -> None:
        with self._lock:
            worker = self._random.choice(self._alive)
        worker.pause()
        time.sleep(seconds)
        worker.resume()

    def steady(self) -> None:
        """Wait until every living worker is ready."""
        for worker in self._alive:
            eventually(partial(_is_ready, worker), "a worker is ready again")


def _listens_or_ended(worker: WorkerProcess) -> bool:
    return worker.process.poll() is not None or worker.get("/status")[0] != 0


def _is_ready(worker: WorkerProcess) -> bool:
    return worker.get("/readyz")[0] == 200
