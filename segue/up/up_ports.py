"""The ports of `segue up`: those of the last run or the usual ones, and free ones if these are taken."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

from segue.services.process.ports import free_ports, is_free
from segue.up.up_folder import Ports

USUAL = Ports(9_092, 6_379)
"""The ports of the default settings, so that other commands find the servers without an export."""


def choose_ports(last: Ports | None, free: Callable[[int], bool] = is_free) -> Ports:
    """Return two different ports on which no process listens.

    Args:
        last: the ports of the last run; None at the first run.
        free: whether no process listens on a port.

    >>> choose_ports(None, lambda port: True)
    Ports(kafka=9092, redis=6379)
    >>> choose_ports(Ports(20001, 20002), lambda port: port != 20001).redis
    20002
    """
    wanted = last or USUAL
    named = (wanted.kafka, wanted.redis)
    others = (port for port in free_ports(4) if port not in named)
    kafka = next(port for port in chain(named[:1], others) if free(port))
    redis = next(port for port in chain(named[1:], others) if free(port) and port != kafka)
    return Ports(kafka, redis)
