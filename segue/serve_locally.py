"""Runs a Kafka and a Redis on this machine, at the settings' addresses, until a signal comes."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import NoReturn
from urllib.parse import urlsplit

from schemas.errors import BadSetting
from segue.config.settings import Settings
from segue.services import ServiceTrouble, start_kafka, start_redis
from segue.services.process.answers import port_open
from segue.services.process.ports import free_ports

_HERE = frozenset({"127.0.0.1", "localhost"})
_LOOK_EVERY_S = 0.5


def serve(settings: Settings, say: Callable[[str], None], *, install: bool) -> NoReturn:
    """Run both servers until a signal or an error; then end them.

    Args:
        settings: contain the addresses.
        say: called with each sentence for people.
        install: whether missing programs may be installed.

    Raises:
        BadSetting: an address is not on this machine, or both have the same port.
        ServiceTrouble: a port is taken, a program is missing, or a server ended by itself.
        KeyboardInterrupt: a signal came.
    """
    kafka_port, redis_port = kafka_port_of(settings), redis_port_of(settings)
    if kafka_port == redis_port:
        fix = f"the setting kafka has port {kafka_port}, too: give each server its own port"
        raise BadSetting("redis", settings.redis_address, fix)
    _check_free("kafka", kafka_port, "127.0.0.1:{}")
    _check_free("redis", redis_port, "redis://127.0.0.1:{}/0")
    with ExitStack() as stack:
        try:
            redis = start_redis(stack, say, allow_install=install, port=redis_port)
            kafka = start_kafka(stack, say, allow_install=install, port=kafka_port)
        except ServiceTrouble as trouble:
            raise _with_advice(trouble) from None
        say(f"Kafka: {settings.kafka}")
        say(f"Redis: {settings.redis_address}")
        say(
            "Both run until ctrl-C, and their data are then deleted. Use another terminal for other commands."
        )
        while True:
            time.sleep(_LOOK_EVERY_S)
            redis.check()
            kafka.check()


def kafka_port_of(settings: Settings) -> int:
    """Return the port of the setting `kafka`.

    Raises:
        BadSetting: the setting is not one broker on this machine.
    """
    host, _, port = settings.kafka.rpartition(":")
    if host not in _HERE:
        raise BadSetting("kafka", settings.kafka, "to start one here, give 127.0.0.1:9092 or another port")
    return int(port)


def redis_port_of(settings: Settings) -> int:
    """Return the port of the setting `redis`.

    Raises:
        BadSetting: the address is not on this machine, or has a login.
    """
    parts = urlsplit(settings.redis)
    if parts.scheme != "redis" or parts.hostname not in _HERE or "@" in parts.netloc:
        fix = "to start one here, give redis://127.0.0.1:6379/0 or another port"
        raise BadSetting("redis", settings.redis_address, fix)
    return parts.port or 6379


def _check_free(name: str, port: int, address: str) -> None:
    if port_open(port):
        (free,) = free_ports(1)
        raise ServiceTrouble(
            f"another program listens on 127.0.0.1:{port} already: use it, or set another address for all"
            f" commands, for example: export SEGUE_{name.upper()}={address.format(free)}"
        )


def _with_advice(trouble: ServiceTrouble) -> ServiceTrouble:
    if not trouble.install:
        return trouble
    names = " ".join(trouble.install)
    return ServiceTrouble(
        f"{trouble} Install {names}, or let Docker start both: docker compose up -d kafka redis",
        trouble.install,
    )
