"""A second Redis that follows the first Redis and replaces it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import redis

from segue.services import LocalRedis
from segue.services.programs.redis_program import find_redis
from tests.support.servers.services import eventually

_MOVES_ITS_PORT = 7  # the first major version that can change its port while it runs


def can_take_over() -> bool:
    """Return whether the installed Redis can change its port while it runs."""
    return int(find_redis().version.split(".")[0]) >= _MOVES_ITS_PORT


class Standby(LocalRedis):
    """A replica. It starts empty; after :meth:`follow` it has the data of its primary.

    Args:
        repair: cut off a partial save before each start. Lanes do not need this.
    """

    def __init__(self, directory: Path, *, repair: bool = False) -> None:
        directory.mkdir()
        super().__init__(directory, repair=repair)

    def follow(self, primary: LocalRedis) -> None:
        """Copy a primary, and then follow each of its writes."""
        with _client(primary) as client:
            client.config_set("repl-diskless-sync-delay", 0)
        with _client(self) as client:
            client.replicaof("127.0.0.1", str(primary.port))
        eventually(self._is_in_step, "the replica follows")

    def fall_behind(self, primary: LocalRedis, most_s: float, then_s: float) -> None:
        """Stop following, and wait until the primary has further writes.

        Args:
            most_s: the longest wait for a write; in a rebalance there may be none.
            then_s: the time to wait after the first write.
        """
        with _client(self) as client:
            client.replicaof("NO", "ONE")
        end_s = time.monotonic() + most_s
        while self._behind(primary) == 0 and time.monotonic() < end_s:
            time.sleep(0.05)
        time.sleep(then_s)

    def succeed(self, primary: LocalRedis, after_s: float) -> int:
        """Kill the primary, and take its port ``after_s`` seconds later.

        Returns:
            The number of lost bytes of writes.
        """
        lost, port = self._behind(primary), primary.port
        primary.kill()
        time.sleep(after_s)
        with _client(self) as client:
            client.config_set("port", port)
        self._ports = [port]
        return lost

    def _is_in_step(self) -> bool:
        with _client(self) as client:
            link, disk = client.info("replication"), client.info("persistence")
        # The replica rewrites its append-only file after the copy.
        busy = disk["aof_rewrite_in_progress"] or disk["aof_rewrite_scheduled"]
        return link["master_link_status"] == "up" and not busy

    def _behind(self, primary: LocalRedis) -> int:
        return _written(primary) - _written(self)


def _written(server: LocalRedis) -> int:
    with _client(server) as client:
        return int(client.info("replication")["master_repl_offset"])


def _client(server: LocalRedis) -> Any:
    return redis.Redis.from_url(server.url, socket_timeout=60)
