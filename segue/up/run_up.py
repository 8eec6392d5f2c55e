"""Runs a Kafka and a Redis on a folder's data until a signal comes."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

from segue.config.settings import Settings
from segue.connect.kafka_access import prepare_topics
from segue.interruption import normal_end, raise_lost
from segue.services import LocalKafka, LocalRedis, ServiceTrouble, start_kafka, start_redis
from segue.services.process.ports import is_free
from segue.services.process.wait_until import wait_until
from segue.up.up_folder import Ports, UpFolder, locked
from segue.up.up_ports import choose_ports

_LOOK_EVERY_S = 0.5
_KILLED_SERVERS_END_S = 5.0


def run_up(
    settings: Settings,
    folder: Path,
    say: Callable[[str], None],
    export: Callable[[str], None],
    *,
    fresh: bool,
    install: bool,
) -> NoReturn:
    """Run both servers until a signal or an error, then stop them. Their data stay in the folder.

    Args:
        settings: name the topics, and give their partitions. The addresses in them are not used.
        folder: for the data of both servers.
        say: takes each sentence for people.
        export: takes each line that a shell can run.
        fresh: whether to remove the folder's data first.
        install: whether missing programs may be installed.

    Raises:
        BadUsage: the folder is not ours, or cannot be used.
        ServiceTrouble: another process has the folder, a program is missing, or a server ended by itself.
        BadTopics: the folder's topics do not fit the settings.
        KeyboardInterrupt: a signal came.
    """
    with locked(folder) as ours, ExitStack() as stack:
        if fresh:
            ours.remove_data()
        ports = _ports(ours)
        try:
            redis = start_redis(
                stack, say, allow_install=install, port=ports.redis, directory=ours.server("redis")
            )
            kafka = start_kafka(
                stack, say, allow_install=install, port=ports.kafka, directory=ours.server("kafka")
            )
        except ServiceTrouble as trouble:
            raise _with_advice(trouble) from None
        prepare_topics(_settings_of(settings, kafka, redis), lambda _: None)
        ours.remember(ports)
        with normal_end():
            export(f"export SEGUE_KAFKA={kafka.bootstrap}")
            export(f"export SEGUE_REDIS={redis.url}")
            say(f"Both run until ctrl-C. Their data stay in {folder}.")
            say("Next: run the two export lines in another terminal, and then: segue doctor")
            _watch(kafka, redis)


def _ports(ours: UpFolder) -> Ports:
    last = ours.ports
    if ours.was_killed and last is not None:
        # The watchman kills the servers of a killed run, in a moment. Then the same ports are free again.
        wait_until(lambda: is_free(last.kafka) and is_free(last.redis), deadline_s=_KILLED_SERVERS_END_S)
    return choose_ports(last)


def _settings_of(settings: Settings, kafka: LocalKafka, redis: LocalRedis) -> Settings:
    """Return settings for these servers. Logins and the number of copies belong to other servers."""
    kept = settings.model_dump(include={"topic_prefix", "partitions", "rekey"})
    return Settings.model_validate({**kept, "kafka": kafka.bootstrap, "redis": redis.url})


def _watch(*servers: LocalKafka | LocalRedis) -> NoReturn:
    while True:
        time.sleep(_LOOK_EVERY_S)
        raise_lost()
        for server in servers:
            if not server.running:
                raise ServiceTrouble(f"{server.name} has ended by itself: see the end of {server.log}")


def _with_advice(trouble: ServiceTrouble) -> ServiceTrouble:
    if not trouble.install:
        return trouble
    names = " ".join(trouble.install)
    return ServiceTrouble(
        f"{trouble} Install {names}, or let Docker start both: docker compose up -d kafka redis",
        trouble.install,
    )
