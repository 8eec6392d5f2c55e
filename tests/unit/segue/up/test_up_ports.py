"""The ports of `segue up`."""

from __future__ import annotations

import socket

import pytest

from segue.services.process.ports import free_ports
from segue.up import up_ports
from segue.up.up_folder import Ports
from segue.up.up_ports import USUAL, choose_ports


def test_the_first_run_takes_the_usual_ports() -> None:
    assert choose_ports(None, lambda _: True) == USUAL == Ports(9_092, 6_379)


def test_a_later_run_takes_the_ports_of_the_last_run() -> None:
    assert choose_ports(Ports(20_001, 20_002), lambda _: True) == Ports(20_001, 20_002)


def test_a_port_that_is_taken_gives_way_and_the_other_stays() -> None:
    with socket.create_server(("127.0.0.1", 0)) as occupant:
        taken = occupant.getsockname()[1]
        (free,) = free_ports(1)
        first, second = choose_ports(Ports(taken, free)), choose_ports(Ports(free, taken))
    assert first.redis == free == second.kafka
    assert taken not in (first.kafka, second.redis)
    assert free not in (first.kafka, second.redis)


def test_a_server_on_all_addresses_takes_the_port_too() -> None:
    with socket.create_server(("", 0)) as occupant:
        taken = occupant.getsockname()[1]
        assert choose_ports(Ports(taken, 20_002)).kafka != taken


def test_both_are_never_the_same_port(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = choose_ports(Ports(20_001, 20_001), lambda _: True)
    assert chosen.kafka == 20_001 != chosen.redis
    # Another port for Kafka is not the port that Redis had.
    monkeypatch.setattr(up_ports, "free_ports", lambda _: [20_002, 20_003, 20_004, 20_005])
    assert choose_ports(Ports(20_001, 20_002), lambda port: port != 20_001) == Ports(20_003, 20_002)
