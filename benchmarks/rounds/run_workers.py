"""Segue's workers, started by `segue worker` as anybody starts them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any, cast

import redis

from benchmarks.rounds.run_program import ROOT, WayFailed
from benchmarks.stage.open_backlog import Backlog
from benchmarks.ways.way_job import Job

_READY_S, _DONE_S, _END_S = 120.0, 900.0, 30.0
_LOOK_S = 0.02


class RunningWorkers:
    """Some workers of one group.

    Args:
        job: where the events and the users are; its number of events is not used.
        workers: how many processes.
    """

    def __init__(self, job: Job, workers: int) -> None:
        self._job = job
        self._redis = redis.Redis.from_url(job.redis, socket_timeout=60)
        self._workers = [_Worker(job) for _ in range(workers)]

    @property
    def pids(self) -> Sequence[int]:
        """The process ids."""
        return [worker.pid for worker in self._workers]

    def wait_ready(self) -> None:
        """Wait until every lane is live, and every worker has one."""
        _until(self._are_ready, _READY_S, "the workers were not ready")

    def wait_done(self, backlog: Backlog) -> None:
        """Wait until every lane's place in Redis is past the backlog, so after the save of its last batch."""
        _until(lambda: self._is_past(backlog.ends), _DONE_S, "the workers were not done")

    def stop(self) -> None:
        """End the workers."""
        for worker in self._workers:
            worker.stop()
        self._redis.close()

    def _are_ready(self) -> bool:
        lanes = [worker.live_lanes() for worker in self._workers]
        return all(lanes) and sum(lanes) == self._job.partitions

    def _is_past(self, ends: Mapping[tuple[str, int], int]) -> bool:
        for worker in self._workers:
            worker.check()
        keys = [f"{self._job.redis_prefix}place:{lane}" for lane in range(self._job.partitions)]
        places = cast(list[bytes | None], self._redis.mget(keys))
        positions = [json.loads(place.partition(b" ")[2])["positions"] if place else {} for place in places]
        return all(positions[lane].get(topic, 0) >= end for (topic, lane), end in ends.items())


def segue_environment(job: Job) -> dict[str, str]:
    """The environment of a command of Segue for this job, without the developer's settings."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("SEGUE_")},
        "PYTHONPATH": str(ROOT),
        "SEGUE_KAFKA": job.kafka,
        "SEGUE_REDIS": job.redis,
        "SEGUE_TOPIC_PREFIX": job.topic_prefix,
        "SEGUE_REDIS_PREFIX": job.redis_prefix,
        "SEGUE_GROUP": job.group,
    }


class _Worker:
    """One worker; its web server tells whether its lanes are live."""

    def __init__(self, job: Job) -> None:
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop
        self._process = subprocess.Popen(
            [sys.executable, "-m", "segue", "worker"],
            env={**segue_environment(job), "SEGUE_WEB_PORT": "0", "SEGUE_LOG_FORMAT": "json"},
            cwd=job.folder,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        self._port: int | None = None

    @property
    def pid(self) -> int:
        return self._process.pid

    def check(self) -> None:
        if self._process.poll() is not None:
            last = (self._lines() or ["it printed nothing"])[-1]
            raise WayFailed(f"segue worker ended with {self._process.returncode}: {last}")

    def live_lanes(self) -> int:
        """How many lanes are live; 0 if the worker does not answer yet."""
        self.check()
        if self._port is None:
            found = [json.loads(line) for line in self._lines() if '"web.listens"' in line]
            self._port = int(found[0]["port"]) if found else None
        if self._port is None:
            return 0
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/status", timeout=5) as answer:
                status: dict[str, Any] = json.loads(answer.read())
        except (OSError, urllib.error.HTTPError):
            return 0
        return sum(lane["phase"] == "live" for lane in status["lanes"])

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def _lines(self) -> list[str]:
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode(errors="replace").splitlines()


def _until(condition: Callable[[], bool], seconds: float, otherwise: str) -> None:
    end_s = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end_s:
            raise WayFailed(f"{otherwise} within {seconds:.0f} s")
        time.sleep(_LOOK_S)
