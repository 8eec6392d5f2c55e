"""Start Kafka and Redis in containers, if a Docker engine answers. Testcontainers removes them at the end."""

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
    """Return the image with the Kafka version that is also used without Docker."""
    return f"apache/kafka:{kafka_version()}"


def container_kafka(stack: ExitStack, say: Callable[[str], None]) -> KafkaService:
    """Start Kafka in a container; the end of the stack stops it.

    Raises:
        ServiceTrouble: no Docker engine answers, or the container does not start.
    """
    container = _container(kafka_image())
    # Clients connect to the address that the broker advertises, but Docker chooses the port only at the start
    # of the container. So the container waits for a script with this port.
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
    """Start Redis in a container; the end of the stack stops it.

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
    """Return a container that is not started yet; fail if no Docker engine answers."""
    try:
        # Imported here, because they belong to an extra, and the import takes half a second.
        from testcontainers.core.container import DockerContainer  # noqa: PLC0415
        from testcontainers.core.docker_client import DockerClient, get_docker_host  # noqa: PLC0415
    except ImportError as error:
        raise ServiceTrouble("Testcontainers is not installed.") from error
    try:
        _knock(get_docker_host() or _USUAL_ENGINE)
        DockerClient().client.ping()
    except Exception as error:  # each client library has its own errors
        raise ServiceTrouble("No Docker engine answers.") from error
    return DockerContainer(image)


def _knock(engine: str) -> None:
    """Connect to the engine's Unix socket first, because docker-py leaves its socket open if nothing listens.

    Raises:
        OSError: nothing listens.
    """
    if engine.startswith("unix://"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(engine.removeprefix("unix://"))


def _start(container: DockerContainer, stack: ExitStack) -> None:
    try:
        container.start()
    # The engine, the registry and the network have errors of their own; all mean the same here.
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
