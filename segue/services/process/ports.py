"""Ports for servers to listen on.

A port is only surely ours when the server has bound it. So these are candidates: whoever starts a server
checks that the one that answers is the one it started, and tries others when binding failed.
"""

from __future__ import annotations

import contextlib
import random
import socket
from pathlib import Path

_LOWEST = 15_000
_USUAL_EPHEMERAL = 32_768


def free_ports(count: int) -> list[int]:
    """Distinct ports of 127.0.0.1 that nobody listens on now.

    They lie below the range that the kernel takes for outgoing connections. Within it, a client that
    reconnects to a killed server can be given that server's own port, and then holds it.

    >>> len(set(free_ports(3)))
    3
    """
    highest = _first_ephemeral() - 1
    with contextlib.ExitStack() as held:  # all at once, so that no port is found twice
        ports: list[int] = []
        while len(ports) < count:
            candidate = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            # As the servers do: connections of the last owner that still linger are no obstacle.
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            port = random.randint(_LOWEST, highest)
            with contextlib.suppress(OSError):
                candidate.bind(("127.0.0.1", port))
                ports.append(port)
        return ports


def _first_ephemeral() -> int:
    try:
        lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:  # not Linux
        return _USUAL_EPHEMERAL
    # A machine that leaves nothing below: take what there is.
    return lowest if lowest > _LOWEST + 1_000 else _USUAL_EPHEMERAL
