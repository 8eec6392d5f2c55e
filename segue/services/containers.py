"""Kafka and Redis in containers, where a Docker engine answers. Testcontainers removes them at the end."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from segue.services.found_services import KafkaService, RedisService
from segue.services.local.kafka_config import container_environment
from segue.services.process.answers import kafka_answers, redis_answers
from segue.services.process.service_trouble import ServiceTrouble
from segue.services.process.wait_until import wait_until
from segue.services.programs.kafka_jars import kafka_version

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

REDIS_IMAGE = "redis:8.2"
_USUAL_ENGINE = "unix:///var/run/docker.sock"
_START_DEADLINE_S = 90
_START = "/tmp/segue-start.sh"  # noqa: S108 - inside the container


def kafka_image() -> str:
    """The same version as the one that is started without Docker."""
    return f"apache/kafka:{kafka_version()}"


def container_kafka(stack: ExitStack, say: Callable[[str], None]) -> KafkaService:
    """Starts Kafka in a container, which lives as long as the stack.

    Raises:
        ServiceTrouble: no Docker engine answers, or the container does not start.
    """
    container = _container(kafka_image())
    # A client is sent on to the address that the broker advertises, and Docker chooses the port only when
    # the container runs: so it waits for a script that knows.
    container.with_command(["sh", "-c", f"until [ -s {_START} ]; do sleep 0.1; done; exec sh {_START}"])
    container.with_exposed_ports(9092)
    for name, value in container_environment().items():
        container.with_env(name, value)
    container.with_env("KAFKA_HEAP_OPTS", "-Xmx512m")
    say(f"Starting {kafka_image()} in Docker…")
    _start(container, stack)
    bootstrap = f"{container.get_container_host_ip()}:{container.get_exposed_port(9092)}"
    container.copy_into_container(_start_script(bootstrap), _START)
    _wait(container, lambda: kafka_answers(bootstrap))
    return KafkaService(bootstrap, f"{kafka_image()} in Docker")


def container_redis(stack: ExitStack, say: Callable[[str], None]) -> RedisService:
    """Starts Redis in a container, which lives as long as the stack.

    Raises:
        ServiceTrouble: no Docker engine answers, or the container does not start.
    """
    container = _container(REDIS_IMAGE)
    container.with_command(
        "redis-server --appendonly yes --save '' --maxmemory-policy noeviction --hash-max-listpack-value 2048"
    )
    container.with_exposed_ports(6379)
    say(f"Starting {REDIS_IMAGE} in Docker…")
    _start(container, stack)
    url = f"redis://{container.get_container_host_ip()}:{container.get_exposed_port(6379)}/0"
    _wait(container, lambda: redis_answers(url))
    return RedisService(url, f"{REDIS_IMAGE} in Docker")


def _container(image: str) -> DockerContainer:
    """A container to be, if there is an engine to run it."""
    try:
        # Here, because they come with an extra, and importing them takes half a second.
        from testcontainers.core.container import DockerContainer  # noqa: PLC0415
        from testcontainers.core.docker_client import DockerClient, get_docker_host  # noqa: PLC0415
    except ImportError as error:
        raise ServiceTrouble("Testcontainers is not installed.") from error
    try:
        _knock(get_docker_host() or _USUAL_ENGINE)
        DockerClient().client.ping()
    except Exception as error:  # as below
        raise ServiceTrouble("No Docker engine answers.") from error
    return DockerContainer(image)


def _knock(engine: str) -> None:
    """Connects, if the engine's address is a socket's: docker-py leaves one open when nobody is there.

    Raises:
        OSError: nobody is there.
    """
    if engine.startswith("unix://"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(engine.removeprefix("unix://"))


def _start(container: DockerContainer, stack: ExitStack) -> None:
    try:
        container.start()
    # The engine, the registry, the network: each has errors of its own, and all mean the same here.
    except Exception as error:
        raise ServiceTrouble(f"Docker could not start {container.image}: {error}") from error
    stack.callback(container.stop)


def _start_script(bootstrap: str) -> bytes:
    return (
        "#!/bin/sh\n"
        f"export KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://{bootstrap},BROKER://localhost:9093\n"
        "exec /etc/kafka/docker/run\n"
    ).encode()


def _wait(container: DockerContainer, answers: Callable[[], bool]) -> None:
    if not wait_until(answers, deadline_s=_START_DEADLINE_S):
        tail = container.get_logs()[0].decode(errors="replace")[-1_500:]
        raise ServiceTrouble(
            f"{container.image} did not answer within {_START_DEADLINE_S} s. It printed:\n{tail}"
        )
