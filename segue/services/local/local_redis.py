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
    # Segue needs this: states survive a restart, and Redis drops no key when memory runs out.
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": '""',
    "maxmemory-policy": "noeviction",
    # Users' states stay in the compact form (docs/redis.md). Since 7.0 the option is called
    # hash-max-listpack-value; all versions accept the older name.
    "hash-max-ziplist-value": "2048",
}


class LocalRedis(LocalServer):
    """A separate Redis, for the demo and for tests that kill it.

        with LocalRedis() as server:
            server.url  # 'redis://127.0.0.1:19204/0'

    Args:
        directory: for data, configuration and log; by default a temporary directory.
        port: the port for clients; by default a free port.
        options: options of redis.conf that override the defaults: `{"maxmemory": "64mb"}`.
        repair: whether to cut off an unfinished save of a crash before each start (docs/redis.md).
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
        """The URL for redis-py."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def how(self) -> str:
        """A description for people."""
        program = find_redis()
        return f"local redis-server {program.version}{program.origin}"

    @property
    def data(self) -> Path:
        """The directory of the append-only files."""
        return self.directory / "data"

    def _prepare(self, directory: Path, ports: Sequence[int]) -> Sequence[str]:
        data = directory / "data"
        data.mkdir(exist_ok=True)
        if self._repair:
            repair_aof(data)
        # Relative to the working directory: any path may lead there, also with quotes or spaces.
        settings = {**_SETTINGS, "port": str(ports[0]), "dir": data.name, **self._options}
        config = directory / "redis.conf"
        config.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        return [find_redis().path, str(config)]

    def _answers(self, process: ServerProcess) -> bool:
        # Another server may listen on a dead server's port, so check the process id.
        return port_open(self.port) and redis_answers(self.url, pid=process.pid)


def repair_aof(data: Path) -> None:
    """Cut an append-only file back to its last whole transaction.

    The server itself cuts it after the last whole command. Then a later start would run the first commands of
    an unfinished transaction.
    """
    files = [*data.glob("appendonlydir/*.manifest"), *data.glob("appendonly.aof")]
    for path in files:
        # redis-server acts as redis-check-aof under that name. It asks before it cuts.
        subprocess.run(
            ["redis-check-aof", "--fix", str(path)],
            executable=find_redis().path,
            input=b"y\n",
            capture_output=True,
            check=False,
        )
