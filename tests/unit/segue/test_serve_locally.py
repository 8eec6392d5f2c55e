"""`segue services`: where the two servers listen, and what it says where they cannot."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from schemas.errors import BadSetting
from segue import serve_locally
from segue.config.settings import Settings
from segue.services import ServiceTrouble
from segue.services.process.ports import free_ports


class Server:
    """Counts how often it was looked at; the third look meets the end, where one is given."""

    def __init__(self, end: BaseException | None = None) -> None:
        self.end = end
        self.looks = 0

    def check(self) -> None:
        self.looks += 1
        if self.end is not None and self.looks == 3:
            raise self.end


@pytest.fixture
def settings() -> Settings:
    kafka, redis = free_ports(2)
    return Settings(kafka=f"localhost:{kafka}", redis=f"redis://127.0.0.1:{redis}/0")


@pytest.fixture
def said() -> list[str]:
    return []


Start = Callable[[Server], list[str]]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Start:
    """Puts a server of the test's own in the place of both; gives what was started and ended."""

    def use(server: Server) -> list[str]:
        log: list[str] = []

        def starter(name: str) -> Callable[..., Server]:
            def start(stack: ExitStack, *_: object, allow_install: bool, port: int) -> Server:
                log.append(f"{name} on {port}{'' if allow_install else ', nothing installed'}")
                stack.callback(log.append, f"{name} ends")
                return server

            return start

        monkeypatch.setattr(serve_locally, "start_kafka", starter("kafka"))
        monkeypatch.setattr(serve_locally, "start_redis", starter("redis"))
        monkeypatch.setattr(serve_locally, "_LOOK_EVERY_S", 0.01)
        return log

    return use


def test_both_listen_where_the_settings_say_until_ctrl_c(
    settings: Settings, start: Start, said: list[str]
) -> None:
    log = start(Server(KeyboardInterrupt()))

    with pytest.raises(KeyboardInterrupt):
        serve_locally.serve(settings, said.append, install=False)

    kafka, redis = serve_locally.kafka_port_of(settings), serve_locally.redis_port_of(settings)
    assert log == [
        f"redis on {redis}, nothing installed",
        f"kafka on {kafka}, nothing installed",
        "kafka ends",
        "redis ends",
    ]
    assert said[:2] == [f"Kafka: localhost:{kafka}", f"Redis: redis://127.0.0.1:{redis}/0"]


def test_a_server_that_ends_by_itself_ends_both_and_says_so(
    settings: Settings, start: Start, said: list[str]
) -> None:
    log = start(Server(ServiceTrouble("Redis has ended by itself.")))

    with pytest.raises(ServiceTrouble, match="Redis has ended by itself"):
        serve_locally.serve(settings, said.append, install=True)

    assert log[2:] == ["kafka ends", "redis ends"]


def test_a_port_that_is_taken_is_named_with_another_to_use(
    settings: Settings, start: Start, said: list[str]
) -> None:
    log = start(Server())
    with socket.create_server(("127.0.0.1", serve_locally.redis_port_of(settings))) as occupant:
        port = occupant.getsockname()[1]
        wanted = rf"another program listens on 127\.0\.0\.1:{port} already.* SEGUE_REDIS=redis://127\.0\.0\.1:\d+/0"
        with pytest.raises(ServiceTrouble, match=wanted):
            serve_locally.serve(settings, said.append, install=True)

    assert log == []


def test_what_is_missing_is_named_beside_docker(
    settings: Settings, start: Start, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = start(Server())

    def fail(*_: object, **__: object) -> None:
        raise ServiceTrouble("Java is not installed.", ("default-jre-headless",))

    monkeypatch.setattr(serve_locally, "start_kafka", fail)

    with pytest.raises(ServiceTrouble) as caught:
        serve_locally.serve(settings, said.append, install=True)

    assert str(caught.value) == (
        "Java is not installed. Install default-jre-headless, or let Docker start both: docker compose up -d "
        "kafka redis"
    )
    assert log[-1] == "redis ends"


@pytest.mark.parametrize(
    ("kafka", "redis", "named"),
    [
        ("broker:9092", "redis://127.0.0.1:6379/0", "setting kafka is 'broker:9092'"),
        ("127.0.0.1:9092,127.0.0.1:9093", "redis://127.0.0.1:6379/0", "setting kafka is"),
        ("127.0.0.1:9092", "redis://cache:6379/0", "setting redis is 'redis://cache:6379/0'"),
        ("127.0.0.1:9092", "redis://:secret@127.0.0.1:6379/0", "setting redis is"),
        ("127.0.0.1:9092", "unix:///run/redis.sock", "setting redis is"),
        (
            "localhost:6379",
            "redis://127.0.0.1",
            ".*the setting kafka has port 6379, too: give each server its own port",
        ),
    ],
)
def test_an_address_that_is_not_for_it_to_serve_is_refused(
    start: Start, said: list[str], kafka: str, redis: str, named: str
) -> None:
    log = start(Server())

    with pytest.raises(BadSetting, match=named) as caught:
        serve_locally.serve(Settings(kafka=kafka, redis=redis), said.append, install=True)

    assert "secret" not in str(caught.value)
    assert log == []
