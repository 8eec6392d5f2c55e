"""The measurements of a worker, of Redis and of the log."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import redis

from tests.campaigns.refill.lanes import applied_under, in_the_log
from tests.support.servers.deployment import Deployment, WorkerProcess


@dataclass(frozen=True, slots=True)
class Reading:
    """A reading. ``rss_mb``: the worker's resident memory; ``lag``: waiting events, from Kafka and Redis."""

    at_s: float
    rss_mb: float
    handles: int
    lag: int
    keys: int
    users: int

    @property
    def other_keys(self) -> int:
        """The number of keys in Redis that belong to no user."""
        return self.keys - self.users


def read(deployment: Deployment, worker: WorkerProcess, at_s: float) -> Reading:
    """Measure the worker's process, Redis and Kafka; get the status page too, as a monitor does."""
    process = Path("/proc") / str(worker.process.pid)
    worker.get("/status")
    # The worker's own figures would miss a lane that it forgot. Events that come between the two calls count
    # as waiting.
    applied = applied_under(deployment, deployment.redis_prefix)
    lag = in_the_log(deployment) - applied
    with redis.Redis.from_url(deployment.redis_url, socket_timeout=60) as client:
        # A scan may return a key twice.
        keys = {key for key in client.scan_iter(count=10_000) if isinstance(key, bytes)}
    prefix = f"{deployment.redis_prefix}user:".encode()
    return Reading(
        at_s,
        _resident_mb(process),
        sum(1 for _ in (process / "fd").iterdir()),
        lag,
        len(keys),
        sum(key.startswith(prefix) for key in keys),
    )


def _resident_mb(process: Path) -> float:
    for line in (process / "status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("the worker's memory is not told")
