from __future__ import annotations

import random
import socket

import pytest

from segue.services.process import ports
from segue.services.process.ports import free_ports, is_free


def test_ports_lie_below_those_of_outgoing_connections() -> None:
    lowest_ephemeral = ports._first_ephemeral()
    found = free_ports(20)
    assert len(set(found)) == 20
    assert all(15_000 <= port < lowest_ephemeral for port in found)


def test_a_port_that_is_listened_on_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        (free,) = free_ports(1)
        draws = iter([taken.getsockname()[1], free])
        monkeypatch.setattr(random, "randint", lambda *_: next(draws))
        assert free_ports(1) == [free]


def test_no_port_is_offered_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = free_ports(2)
    draws = iter([one, one, other])
    monkeypatch.setattr(random, "randint", lambda *_: next(draws))
    assert free_ports(2) == [one, other]


@pytest.mark.parametrize("host", ["127.0.0.1", ""], ids=["on this address", "on all addresses"])
def test_a_port_is_free_only_while_nobody_listens(host: str) -> None:
    with socket.create_server((host, 0)) as occupant:
        port = occupant.getsockname()[1]
        assert not is_free(port)
    assert is_free(port)
