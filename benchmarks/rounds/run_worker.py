"""Segue's worker, started by `segue worker` as anybody starts it."""

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


class RunningWorker:
    """A worker; its web server tells which lanes are live.

    Args:
        job: where the events and the users are; its number of events is not used.
        processes: how many processes the worker has.
    """

    def __init__(self, job: Job, processes: int) -> None:
        self._job = job
        self._processes = processes
        self._redis = redis.Redis.from_url(job.redis, socket_timeout=60)
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop
        self._process = subprocess.Popen(
            [sys.executable, "-m", "segue", "worker", "--processes", str(processes)],
            env={**segue_environment(job), "SEGUE_WEB_PORT": "0", "SEGUE_LOG_FORMAT": "json"},
            cwd=job.folder,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        self._port: int | None = None

    @property
    def pids(self) -> Sequence[int]:
        """The id of the process that was started; further processes are its children."""
        return [self._process.pid]

    def wait_ready(self) -> None:
        """Wait until every lane is live, and every process has one."""
        _until(self._is_ready, _READY_S, "the worker was not ready")

    def wait_done(self, backlog: Backlog) -> None:
        """Wait until every lane's place in Redis is past the backlog, so after the save of its last batch."""
        _until(lambda: self._is_past(backlog.ends), _DONE_S, "the worker was not done")

    def stop(self) -> None:
        """End the worker."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()
        self._redis.close()

    def _is_ready(self) -> bool:
        """Whether all lanes are live; False if the worker does not answer yet."""
        self._check()
        if self._port is None:
            found = [json.loads(line) for line in self._lines() if '"web.listens"' in line]
            self._port = int(found[0]["port"]) if found else None
        if self._port is None:
            return False
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/status", timeout=5) as answer:
                status: dict[str, Any] = json.loads(answer.read())
        except (OSError, urllib.error.HTTPError):
            return False
        live = [lane.get("process") for lane in status["lanes"] if lane["phase"] == "live"]
        return len(live) == self._job.partitions and len(set(live)) == self._processes

    def _is_past(self, ends: Mapping[tuple[str, int], int]) -> bool:
        self._check()
        keys = [f"{self._job.redis_prefix}place:{lane}" for lane in range(self._job.partitions)]
        places = cast(list[bytes | None], self._redis.mget(keys))
        positions = [json.loads(place.partition(b" ")[2])["positions"] if place else {} for place in places]
        return all(positions[lane].get(topic, 0) >= end for (topic, lane), end in ends.items())

    def _check(self) -> None:
        if self._process.poll() is not None:
            last = (self._lines() or ["it printed nothing"])[-1]
            raise WayFailed(f"segue worker ended with {self._process.returncode}: {last}")

    def _lines(self) -> list[str]:
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode(errors="replace").splitlines()


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


def _until(condition: Callable[[], bool], seconds: float, otherwise: str) -> None:
    end_s = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end_s:
            raise WayFailed(f"{otherwise} within {seconds:.0f} s")
        time.sleep(_LOOK_S)
