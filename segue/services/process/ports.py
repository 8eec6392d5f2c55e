"""Ports for servers to listen on.

A port belongs to a server only after the server has bound it, so these ports are candidates. The caller
checks that its own server answers, and tries other ports if the server could not bind them.
"""

from __future__ import annotations

import contextlib
import random
import socket
from pathlib import Path

_LOWEST = 15_000
_USUAL_EPHEMERAL = 32_768


def free_ports(count: int) -> list[int]:
    """Return different ports of 127.0.0.1 on which no process listens now.

    They lie below the kernel's range for outgoing connections. Within that range the kernel may give a killed
    server's port to a client that reconnects to the server, and then the port is taken.

    >>> len(set(free_ports(3)))
    3
    """
    highest = _first_ephemeral() - 1
    with contextlib.ExitStack() as held:  # hold all sockets, so that no other process finds them
        ports: list[int] = []
        while len(ports) < count:
            port = random.randint(_LOWEST, highest)
            if port in ports:
                continue  # with SO_REUSEADDR two sockets may be bound to one port before either listens
            candidate = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            # As the servers do: lingering connections of the last owner do not block the port.
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                candidate.bind(("127.0.0.1", port))
                ports.append(port)
        return ports


def is_free(port: int) -> bool:
    """Whether no process listens on this port of 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _first_ephemeral() -> int:
    try:
        lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:  # not Linux
        return _USUAL_EPHEMERAL
    # If there is no room below the range, use the usual bound.
    return lowest if lowest > _LOWEST + 1_000 else _USUAL_EPHEMERAL
