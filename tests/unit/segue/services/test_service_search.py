"""The order in which servers are looked for, over sources that the test makes up."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

from schemas.errors import Unreachable
from segue.connect import wait_for_servers
from segue.services import (
    KafkaService,
    NoServices,
    RedisService,
    Services,
    ServiceTrouble,
    find_services,
    service_search,
)

Plan = Callable[..., list[str]]


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch) -> Plan:
    """Says which sources have a server; gives the list of what was asked, started and ended."""

    def make(*available: str, install: bool = False) -> list[str]:
        log: list[str] = []

        def source(name: str, service: object, package: str) -> Callable[..., Any]:
            def get(stack: ExitStack, *_: object, **__: object) -> object:
                log.append(f"ask {name}")
                if name not in available:
                    raise ServiceTrouble(f"No {name.partition(' ')[0]}.", (package,) if package else ())
                stack.callback(log.append, f"end {name}")
                return service

            return get

        for which, service in (
            ("kafka", KafkaService("k:1", "x")),
            ("redis", RedisService("redis://r", "x")),
        ):
            monkeypatch.setattr(service_search, f"container_{which}", source(f"docker {which}", service, ""))
            monkeypatch.setattr(
                service_search, f"_local_{which}", source(f"{which} here", service, f"{which}-package")
            )
            monkeypatch.setattr(service_search, f"{which}_answers", lambda address, **_: address in available)
        monkeypatch.setattr(wait_for_servers, "PATIENCE_S", 0.0)
        return log

    return make


def test_docker_comes_before_this_machine(plan: Plan) -> None:
    log = plan("docker kafka", "docker redis", "kafka here", "redis here")
    with find_services() as found:
        assert isinstance(found, Services)
    assert log == ["ask docker redis", "ask docker kafka", "end docker kafka", "end docker redis"]


def test_each_of_the_two_is_looked_for_by_itself(plan: Plan) -> None:
    log = plan("docker redis", "kafka here")
    with find_services() as found:
        assert isinstance(found, Services)
        assert log == ["ask docker redis", "ask docker kafka", "ask kafka here"]
    assert log[3:] == ["end kafka here", "end docker redis"]


def test_named_addresses_come_first_and_nothing_is_started(plan: Plan) -> None:
    log = plan("shop:9092", "redis://shop", "docker kafka", "docker redis")
    with find_services(kafka="shop:9092", redis="redis://shop") as found:
        assert found == Services(
            KafkaService("shop:9092", "named by the settings"),
            RedisService("redis://shop", "named by the settings"),
        )
    assert log == []


def test_one_named_address_leaves_the_other_to_be_found(plan: Plan) -> None:
    log = plan("shop:9092", "redis here")
    with find_services(kafka="shop:9092") as found:
        assert isinstance(found, Services)
        assert found.kafka.bootstrap == "shop:9092"
    assert log == ["ask docker redis", "ask redis here", "end redis here"]


@pytest.mark.parametrize("named", [{"kafka": "shop:9092"}, {"redis": "redis://shop"}])
def test_a_named_address_that_is_dead_is_an_error_not_a_reason_to_look_on(
    plan: Plan, named: dict[str, Any]
) -> None:
    log = plan("docker kafka", "docker redis")
    with pytest.raises(Unreachable, match="shop"), find_services(**named):
        pytest.fail("not reached")
    assert log == []


def test_with_nothing_all_that_is_missing_is_named_once(plan: Plan) -> None:
    plan()
    with find_services() as found:
        assert found == NoServices("No docker. No redis. No kafka.", ("redis-package", "kafka-package"))


def test_what_was_started_ends_when_the_other_cannot_be_had(plan: Plan) -> None:
    log = plan("redis here")
    with find_services() as found:
        assert found == NoServices("No docker. No kafka.", ("kafka-package",))
    assert log[-1] == "end redis here"


def test_servers_end_when_the_block_fails(plan: Plan) -> None:
    log = plan("docker kafka", "docker redis")
    with pytest.raises(ServiceTrouble, match="from inside"), find_services():
        raise ServiceTrouble("from inside")
    assert log[-2:] == ["end docker kafka", "end docker redis"]
