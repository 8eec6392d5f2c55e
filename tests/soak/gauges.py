"""What is watched of a worker and of Redis, and how fast it grows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import redis

from tests.deployment import Deployment, WorkerProcess


@dataclass(frozen=True, slots=True)
class Reading:
    """One look. ``rss_mb`` is the worker's resident memory, ``lag`` the events that wait for it."""

    at_s: float
    rss_mb: float
    handles: int
    lag: int
    keys: int
    users: int

    @property
    def other_keys(self) -> int:
        """Keys of Redis that are no user's."""
        return self.keys - self.users


def read(deployment: Deployment, worker: WorkerProcess, at_s: float) -> Reading:
    """Ask the worker's process, its status page and Redis."""
    process = Path("/proc") / str(worker.process.pid)
    status = worker.get("/status")[1]
    with redis.Redis.from_url(deployment.redis_url, socket_timeout=60) as client:
        keys = [key for key in client.scan_iter(count=10_000) if isinstance(key, bytes)]
    prefix = f"{deployment.redis_prefix}user:".encode()
    return Reading(
        at_s,
        _resident_mb(process),
        sum(1 for _ in (process / "fd").iterdir()),
        sum(sum(lane["lag"].values()) for lane in status["lanes"]),
        len(keys),
        sum(key.startswith(prefix) for key in keys),
    )


def _resident_mb(process: Path) -> float:
    for line in (process / "status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("the worker's memory is not told")


def slope(xs: Sequence[float], ys: Sequence[float]) -> float:
    """By the least squares: how much y grows with each x.

    >>> slope([0, 1, 2], [5, 7, 9])
    2.0
    """
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / sum(
        (x - mean_x) ** 2 for x in xs
    )
