"""What is asked of Docker, over a container that only writes it down; no engine is needed."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from segue.services import KafkaService, RedisService, ServiceTrouble, containers
from segue.services.containers import container_kafka, container_redis


class Noted:
    """Takes the place of a Testcontainers' container."""

    def __init__(self, image: str, *, starts: bool = True) -> None:
        self.image = image
        self.starts = starts
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> Any:
            self.calls.append((name, arguments))
            if name == "start" and not self.starts:
                raise RuntimeError("no such image")
            return {"get_container_host_ip": "dockerhost", "get_exposed_port": 32_999}.get(name)

        return call

    def names(self) -> list[str]:
        return [name for name, _ in self.calls]


@pytest.fixture
def container(monkeypatch: pytest.MonkeyPatch) -> Noted:
    noted = Noted("image")
    monkeypatch.setattr(containers, "_container", lambda _: noted)
    monkeypatch.setattr(containers, "kafka_answers", lambda address: address == "dockerhost:32999")
    monkeypatch.setattr(containers, "redis_answers", lambda url: url == "redis://dockerhost:32999/0")
    return noted


def test_kafka_learns_its_address_once_it_runs(container: Noted) -> None:
    with ExitStack() as stack:
        found = container_kafka(stack, lambda _: None)
        assert found == KafkaService("dockerhost:32999", f"{containers.kafka_image()} in Docker")
        names = container.names()
        assert names.index("start") < names.index("get_exposed_port") < names.index("copy_into_container")
        script, place = dict(container.calls)["copy_into_container"]
        assert b"KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://dockerhost:32999,BROKER://localhost:9093\n" in script
        assert place in dict(container.calls)["with_command"][0][2]
        assert "stop" not in names
    assert container.names()[-1] == "stop"


def test_redis_never_drops_states(container: Noted) -> None:
    with ExitStack() as stack:
        found = container_redis(stack, lambda _: None)
        assert found == RedisService("redis://dockerhost:32999/0", f"{containers.REDIS_IMAGE} in Docker")
        (command,) = dict(container.calls)["with_command"]
        assert "--maxmemory-policy noeviction" in command
    assert container.names()[-1] == "stop"


def test_an_image_that_cannot_be_had_is_trouble_so_that_the_search_goes_on(container: Noted) -> None:
    container.starts = False
    with ExitStack() as stack, pytest.raises(ServiceTrouble, match="could not start image: no such image"):
        container_kafka(stack, lambda _: None)


@pytest.mark.parametrize("there", [False, True], ids=["no socket", "a file that is none"])
def test_without_an_engine_the_search_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    socket = tmp_path / "docker.sock"
    if there:
        socket.touch()
    monkeypatch.setenv("DOCKER_HOST", f"unix://{socket}")
    with ExitStack() as stack, pytest.raises(ServiceTrouble, match="No Docker engine answers"):
        container_redis(stack, lambda _: None)
