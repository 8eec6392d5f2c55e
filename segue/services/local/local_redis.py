"""A redis-server on this machine."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from segue.services.local.local_server import LocalServer
from segue.services.process.answers import port_open, redis_answers
from segue.services.process.server_process import ServerProcess
from segue.services.programs.redis_program import find_redis

_SETTINGS = {
    "bind": "127.0.0.1",
    "daemonize": "no",
    # What Segue asks of a Redis: states survive, and none is dropped when memory runs out.
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": '""',
    "maxmemory-policy": "noeviction",
    # A user's state stays in the compact form (docs/redis.md). Since 7.0 it is called
    # hash-max-listpack-value; servers of every version take the older name.
    "hash-max-ziplist-value": "2048",
}


class LocalRedis(LocalServer):
    """A Redis of one's own, for the demo and for tests that kill it.

        with LocalRedis() as server:
            server.url  # 'redis://127.0.0.1:19204/0'

    Args:
        directory: for data, configuration and log; by default one of its own, removed at the end.
        port: by default a free one.
        options: as in redis.conf, over those above: `{"maxmemory": "64mb"}`.
        repair: before a start on data, cut off what a crash left of a save (docs/redis.md).
    """

    name = "Redis"
    port_count = 1

    def __init__(
        self,
        directory: Path | None = None,
        *,
        port: int | None = None,
        options: Mapping[str, str] | None = None,
        repair: bool = True,
    ) -> None:
        super().__init__(directory, port)
        self._options = dict(options or {})
        self._repair = repair

    @property
    def url(self) -> str:
        """As redis-py takes it."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def how(self) -> str:
        """What it is, for people."""
        program = find_redis()
        return f"local redis-server {program.version}{program.origin}"

    @property
    def data(self) -> Path:
        """Where its append-only files lie."""
        return self.directory / "data"

    def _prepare(self, directory: Path, ports: Sequence[int]) -> Sequence[str]:
        data = directory / "data"
        data.mkdir(exist_ok=True)
        if self._repair:
            repair_aof(data)
        settings = {**_SETTINGS, "port": str(ports[0]), "dir": f'"{data}"', **self._options}
        config = directory / "redis.conf"
        config.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        return [find_redis().path, str(config)]

    def _answers(self, process: ServerProcess) -> bool:
        # Any client of a dead server's port can meet another server there: ask for the process.
        return port_open(self.port) and redis_answers(self.url, pid=process.pid)


def repair_aof(data: Path) -> None:
    """Cut an append-only file back to its last whole transaction.

    The server itself cuts it to the last whole command, and would run the commands before it at a later start.
    """
    files = [*data.glob("appendonlydir/*.manifest"), *data.glob("appendonly.aof")]
    for path in files:
        # One program is both: what it is called decides. It asks before it cuts.
        subprocess.run(
            ["redis-check-aof", "--fix", str(path)],
            executable=find_redis().path,
            input=b"y\n",
            capture_output=True,
            check=False,
        )
