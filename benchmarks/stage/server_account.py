"""What the way and both servers have used up to a moment."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Self

import redis

from benchmarks.stage.bench_servers import Servers
from benchmarks.stage.process_cpu import cpu_seconds


@dataclass(frozen=True, slots=True)
class Account:
    """Seconds of a clock and of CPU, and the count of commands that Redis ran, those inside scripts too."""

    wall_s: float
    way_s: float
    redis_s: float
    kafka_s: float
    redis_commands: float

    @classmethod
    def of(cls, servers: Servers, pids: Sequence[int]) -> Self:
        """The account of now, with the CPU of these processes together."""
        return cls(
            time.perf_counter(),
            sum(cpu_seconds(pid) for pid in pids),
            cpu_seconds(servers.redis_pid),
            cpu_seconds(servers.kafka_pid),
            _commands(servers),
        )

    def since(self, before: Account, events: int) -> Account:
        """What was used since an earlier account, for each of these events."""
        pairs = zip(astuple(self), astuple(before), strict=True)
        return Account(*[(now - then) / events for now, then in pairs])


def redis_bytes(servers: Servers) -> int:
    """The memory that Redis uses now."""
    with redis.Redis.from_url(servers.redis_url) as client:
        return int(client.info("memory")["used_memory"])


def _commands(servers: Servers) -> float:
    with redis.Redis.from_url(servers.redis_url) as client:
        return float(client.info("stats")["total_commands_processed"])
