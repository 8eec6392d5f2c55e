"""What a local Kafka and a local Redis have in common: a directory, ports, a life."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from segue.services.process.guard import guard
from segue.services.process.ports import free_ports
from segue.services.process.server_process import ServerProcess
from segue.services.process.service_trouble import ServiceTrouble
from segue.services.process.wait_until import wait_until

_PORT_ATTEMPTS = 5


class LocalServer(ABC):
    """A server on 127.0.0.1 that can be stopped, killed, paused, and started again on its data.

    Its ports are chosen at the first start and kept. A directory that it made itself is removed by
    `close`, and by the watchman if this process dies first; one that it was given stays.
    """

    name: str
    """For messages: `Apache Kafka`."""
    port_count: int
    """How many ports it listens on; the first one is the clients'."""
    start_deadline_s: float = 180

    def __init__(self, directory: Path | None, port: int | None) -> None:
        self._own_directory = directory is None
        self._directory = directory
        self._given_port = port
        self._ports: list[int] = []
        self._process: ServerProcess | None = None

    @abstractmethod
    def _prepare(self, directory: Path, ports: Sequence[int]) -> Sequence[str]:
        """Writes what the server reads at its start; returns the command that starts it."""

    @abstractmethod
    def _answers(self, process: ServerProcess) -> bool:
        """Whether this very process answers as it should."""

    @property
    def directory(self) -> Path:
        """Where its data, configuration and log lie."""
        if self._directory is None:
            raise ServiceTrouble(f"{self.name} has not been started.")
        return self._directory

    @property
    def port(self) -> int:
        """The port that its clients use."""
        if not self._ports:
            raise ServiceTrouble(f"{self.name} has not been started.")
        return self._ports[0]

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self._running().pid

    @property
    def log(self) -> Path:
        """What it prints, over all its lives."""
        return self.directory / "server.log"

    @property
    def running(self) -> bool:
        """Whether its process lives, paused or not."""
        return self._process is not None and self._process.running()

    def start(self) -> None:
        """Starts it and waits until it answers; on its data, if it has been stopped or killed.

        Raises:
            ServiceTrouble: it did not start; with the last lines that it printed.
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
            # Somebody took a port between our look and its bind. Where clients know the port already, only
            # that one will do.
            if first_start and self._given_port is None:
                self._ports = []
        at = " or ".join(f"127.0.0.1:{port}" for port in ports)
        raise ServiceTrouble(
            f"{self.name} found {at} taken, {_PORT_ATTEMPTS} times: end what listens there, or give another port."
        )

    def _launch(self) -> ServerProcess | None:
        """A process that answers, or None if one of its ports was taken."""
        command = self._prepare(self.directory, self._ports)
        process = ServerProcess(self.name, command, directory=self.directory, log=self.log)
        try:
            wait_until(
                lambda: not process.running() or self._answers(process), deadline_s=self.start_deadline_s
            )
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
        """Looks whether it still runs.

        Raises:
            ServiceTrouble: it has ended by itself; with the last lines that it printed.
        """
        if self._process is not None and not self._process.running():
            raise self._process.trouble("has ended by itself")

    def stop(self) -> None:
        """Ends it in order (SIGTERM). Its data stay."""
        if self._process is not None:
            self._process.stop()

    def kill(self) -> None:
        """Ends it at once (SIGKILL). Its data stay as they are."""
        if self._process is not None:
            self._process.kill()

    def restart(self) -> None:
        """Stops it, if it runs, and starts it on the same data and ports."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Lets it hang (SIGSTOP): connections stay open, nobody answers."""
        self._running().pause()

    def resume(self) -> None:
        """Lets it go on (SIGCONT)."""
        self._running().resume()

    def close(self) -> None:
        """Ends it, and removes the directory that it made for itself."""
        if not self._own_directory:
            self.stop()
            return
        self.kill()  # nobody will read what it might still write
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
