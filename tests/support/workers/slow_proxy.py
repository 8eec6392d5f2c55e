"""A proxy to a local server that a test can slow down, stall or cut."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from segue.services import LocalKafka

_CHUNK = 64 * 1024


class Proxy:
    """A proxy between clients and a server. Its port opens at once, before the server has a port.

    Attributes:
        server_port: the port of the server.
        delay_s: the delay of each chunk, in each direction.
    """

    def __init__(self, server_port: int = 0) -> None:
        self.server_port = server_port
        self.delay_s = 0.0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._flows = threading.Event()
        self._flows.set()
        self._cut = False
        self._closed = threading.Event()
        self._sockets: set[socket.socket] = set()
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    @property
    def address(self) -> str:
        """`host:port` for clients."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def stall(self) -> None:
        """Let no byte through; connections stay open, and clients can still connect."""
        self._flows.clear()

    def cut(self) -> None:
        """End every connection, and each new connection at once."""
        self._cut = True
        self._drop_all()

    def mend(self) -> None:
        """Let bytes through again, delayed bytes first."""
        self._cut = False
        self._flows.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        self._flows.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._drop_all()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        try:
            if self._cut:
                raise ConnectionError
            server = socket.create_connection(("127.0.0.1", self.server_port))
        except OSError:
            client.close()
            return
        with self._lock:
            self._sockets |= {client, server}
        back = threading.Thread(target=self._pump, args=(server, client), daemon=True)
        back.start()
        self._pump(client, server)
        back.join()
        with self._lock:
            self._sockets -= {client, server}
        client.close()
        server.close()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while chunk := source.recv(_CHUNK):
                self._closed.wait(self.delay_s)
                self._flows.wait()
                target.sendall(chunk)
        for one in (source, target):  # the end of one direction is the end of both
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _drop_all(self) -> None:
        with self._lock:
            for one in self._sockets:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)


class KafkaBehindProxy(LocalKafka):
    """A Kafka with a second address, ``proxy.address``, which Kafka advertises to the clients that use it.

    Kafka itself and the test use the first address, ``bootstrap``.
    """

    port_count = 3  # clients, controller, the proxy

    def __init__(self, proxy: Proxy) -> None:
        super().__init__()
        self.proxy = proxy

    def _prepare(self, directory: Path, ports: Sequence[int]) -> Sequence[str]:
        direct, controller, behind = (f"127.0.0.1:{port}" for port in ports)
        self.proxy.server_port = ports[2]
        self._properties = {
            "listeners": f"PLAINTEXT://{direct},CONTROLLER://{controller},PROXY://{behind}",
            "advertised.listeners": f"PLAINTEXT://{direct},PROXY://{self.proxy.address}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXY:PLAINTEXT",
            "inter.broker.listener.name": "PLAINTEXT",
        }
        return super()._prepare(directory, ports)
