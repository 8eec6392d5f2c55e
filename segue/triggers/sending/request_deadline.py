"""Ends a request after a time, however slowly its answer comes.

The timeouts of a socket count from byte to byte: a receiver that sends a header a byte at a time would hold a
connection, and the webhooks behind it, for hours.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

_here = threading.local()


class Deadline:
    """The deadline of one request, in the thread that sends it."""

    def __init__(self) -> None:
        self.is_over = False
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    def watch(self, used: socket.socket | None) -> None:
        """Note the connection that the request uses, or uses no longer."""
        with self._lock:
            self._socket = used
            self._shut()

    def end(self) -> None:
        """End the request: whoever reads from the connection sees its end."""
        with self._lock:
            self.is_over = True
            self._shut()

    def _shut(self) -> None:
        if self.is_over and self._socket is not None:
            with suppress(OSError):  # closed already
                # Not the method of an SSL socket, which another thread may be reading.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


@contextmanager
def deadline(seconds: float) -> Iterator[Deadline]:
    """Bound the request that this thread sends in this context, by a pool of :func:`bound_pools`."""
    _here.deadline = mine = Deadline()
    timer = threading.Timer(seconds, mine.end)
    timer.daemon = True
    timer.start()
    try:
        yield mine
    finally:
        timer.cancel()
        mine.watch(None)
        del _here.deadline


def _watch(used: socket.socket | None) -> None:
    if used is not None:
        _here.deadline.watch(used)


class _Plain(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        _watch(self.sock)

    def putrequest(
        self, method: str, url: str, skip_host: bool = False, skip_accept_encoding: bool = False
    ) -> None:
        _watch(self.sock)  # a connection that is used again
        super().putrequest(method, url, skip_host, skip_accept_encoding)


class _Secure(HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        _watch(self.sock)

    def putrequest(
        self, method: str, url: str, skip_host: bool = False, skip_accept_encoding: bool = False
    ) -> None:
        _watch(self.sock)
        super().putrequest(method, url, skip_host, skip_accept_encoding)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


def bound_pools(pools: urllib3.PoolManager) -> urllib3.PoolManager:
    """Let these pools send their requests within a :func:`deadline`."""
    pools.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}
    return pools
