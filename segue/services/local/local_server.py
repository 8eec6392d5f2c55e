"""The common part of a local Kafka and a local Redis: directory, ports, start and end."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from segue.interruption import raise_lost
from segue.services.process.guard import guard
from segue.services.process.ports import free_ports
from segue.services.process.server_process import ServerProcess
from segue.services.process.service_trouble import ServiceTrouble
from segue.services.process.wait_until import wait_until

_PORT_ATTEMPTS = 5


class LocalServer(ABC):
    """A server on 127.0.0.1 that can be stopped, killed, paused, and started again on its data.

    The ports are chosen at the first start and kept. `close` removes the server's own temporary directory, or
    the watchman does if this process dies first. A directory of the caller stays.
    """

    name: str
    """The name for messages: `Apache Kafka`."""
    port_count: int
    """The number of its ports; the first is for clients."""
    start_deadline_s: float = 180

    def __init__(self, directory: Path | None, port: int | None) -> None:
        self._own_directory = directory is None
        self._directory = directory
        self._given_port = port
        self._ports: list[int] = []
        self._process: ServerProcess | None = None

    @abstractmethod
    def _prepare(self, directory: Path, ports: Sequence[int]) -> Sequence[str]:
        """Write the configuration; return the command that starts the server."""

    @abstractmethod
    def _answers(self, process: ServerProcess) -> bool:
        """Whether exactly this process answers."""

    @property
    def directory(self) -> Path:
        """The directory of data, configuration and log."""
        if self._directory is None:
            raise ServiceTrouble(f"{self.name} has not been started.")
        return self._directory

    @property
    def port(self) -> int:
        """The port for clients."""
        if not self._ports:
            raise ServiceTrouble(f"{self.name} has not been started.")
        return self._ports[0]

    @property
    def pid(self) -> int:
        """The process id."""
        return self._running().pid

    @property
    def log(self) -> Path:
        """The file with the output of all its processes."""
        return self.directory / "server.log"

    @property
    def running(self) -> bool:
        """Whether the process runs or is paused."""
        return self._process is not None and self._process.running()

    def start(self) -> None:
        """Start the server and wait until it answers; after a stop or a kill, start it on its data.

        Raises:
            ServiceTrouble: the server did not start; the message has its last printed lines.
        """
        if self.running:
            return
        if self._directory is None:
            self._directory = guard.make_directory()
        ports: list[int] = []
        for _ in range(_PORT_ATTEMPTS):
            first_start = not self._ports
            if first_start:
                self._ports = free_ports(self.port_count)
                if self._given_port is not None:
                    self._ports[0] = self._given_port
            ports = self._ports
            process = self._launch()
            if process is not None:
                self._process = process
                return
            # Another process took a port before the server could bind it. Choose other ports, unless clients
            # know the port already.
            if first_start and self._given_port is None:
                self._ports = []
        at = " or ".join(f"127.0.0.1:{port}" for port in ports)
        raise ServiceTrouble(
            f"{self.name} found {at} in use, {_PORT_ATTEMPTS} times: end the process there, or give another"
            " port"
        )

    def _launch(self) -> ServerProcess | None:
        """Start a process and wait until it answers; None if another process holds one of its ports."""
        command = self._prepare(self.directory, self._ports)
        process = ServerProcess(self.name, command, directory=self.directory, log=self.log)

        def settled() -> bool:
            raise_lost()
            return not process.running() or self._answers(process)

        try:
            wait_until(settled, deadline_s=self.start_deadline_s)
            if not process.running():
                if "Address already in use" in process.printed():
                    return None
                raise process.trouble("ended at its start")
            if not self._answers(process):
                raise process.trouble(f"did not answer within {self.start_deadline_s:.0f} s")
        except BaseException:
            process.kill()
            raise
        return process

    def check(self) -> None:
        """Check that the server has not ended by itself.

        Raises:
            ServiceTrouble: it has ended by itself; the message has its last printed lines.
        """
        if self._process is not None and not self._process.running():
            raise self._process.trouble("has ended by itself")

    def stop(self) -> None:
        """Stop the server (SIGTERM). Its data stay."""
        if self._process is not None:
            self._process.stop()

    def kill(self) -> None:
        """Kill the server (SIGKILL). Its data stay as they are."""
        if self._process is not None:
            self._process.kill()

    def restart(self) -> None:
        """Stop the server if it runs, and start it on the same data and ports."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Pause the server (SIGSTOP): connections stay open, but it does not answer."""
        self._running().pause()

    def resume(self) -> None:
        """Resume the paused server (SIGCONT)."""
        self._running().resume()

    def close(self) -> None:
        """End the server, and remove its own temporary directory."""
        if not self._own_directory:
            self.stop()
            return
        self.kill()  # its data is removed, so it need not flush
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            guard.drop_directory(self._directory)
            self._directory = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _running(self) -> ServerProcess:
        if self._process is None or not self._process.running():
            raise ServiceTrouble(f"{self.name} does not run.")
        return self._process
