"""Servers for tests, and waiting for conditions."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NoReturn, TypeVar

import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition

from segue.services import NoServices, Services, ServiceTrouble, find_services
from segue.services.local.local_server import LocalServer

T = TypeVar("T")
Server = TypeVar("Server", bound=LocalServer)

HANG_S = 300.0
"""A step that takes longer hangs. No test fails because the machine is slow."""

KAFKA_VARIABLE = "SEGUE_TEST_KAFKA"
REDIS_VARIABLE = "SEGUE_TEST_REDIS"


@contextmanager
def session_services(say: Callable[[str], None], run: Path | None = None) -> Iterator[Services]:
    """Yield Kafka and Redis for the session: named by the two variables, in Docker, or local.

    Args:
        say: takes a sentence for people before each long step.
        run: a folder of all processes of a run. They share one Kafka, whose start takes long; the first that
            needs it starts it, and at its end waits for the others. Each has its own Redis.
    """
    with ExitStack() as stack:
        kafka = os.environ.get(KAFKA_VARIABLE)
        found = _found(stack, kafka, say) if kafka is not None or run is None else _shared(stack, run, say)
        if isinstance(found, NoServices):
            not_here(found.reason, found.install)
        yield found


def _found(stack: ExitStack, kafka: str | None, say: Callable[[str], None]) -> Services | NoServices:
    return stack.enter_context(find_services(kafka=kafka, redis=os.environ.get(REDIS_VARIABLE), say=say))


def _shared(stack: ExitStack, run: Path, say: Callable[[str], None]) -> Services | NoServices:
    """Use the Kafka that another process of the run has started, or start it."""
    address = run / "kafka"
    users = stack.enter_context((run / "kafka-users").open("w"))
    with _turn(run):
        started = address.read_text() if address.exists() else None
        found = _found(stack, started, say)
        if isinstance(found, Services):
            fcntl.flock(users, fcntl.LOCK_SH)
            if started is None:
                address.write_text(found.kafka.bootstrap)
                stack.callback(fcntl.flock, users, fcntl.LOCK_EX)  # when no other process uses it
                stack.callback(_hide, run, address)
    return found


def _hide(run: Path, address: Path) -> None:
    """Let a process that needs a Kafka from now on start another one."""
    with _turn(run):
        address.unlink()


@contextmanager
def _turn(run: Path) -> Iterator[None]:
    """Let one process after the other look for the Kafka."""
    with (run / "kafka-turn").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield


def start_server(stack: ExitStack, server: Server) -> Server:
    """Start a server for one test; the stack ends it."""
    try:
        stack.enter_context(server)
    except ServiceTrouble as trouble:
        if not trouble.install:  # the server is installed but does not start: the test fails
            raise
        not_here(str(trouble), trouble.install)
    return server


def not_here(reason: str, install: tuple[str, ...]) -> NoReturn:
    """Skip the test; fail it if SEGUE_TEST_REQUIRE_SERVICES=1, as `make test` sets it."""
    text = f"no server to test with: {reason} Install: {' '.join(install)}"
    if os.environ.get("SEGUE_TEST_REQUIRE_SERVICES") == "1":
        pytest.fail(text)
    pytest.skip(text)


def eventually(
    condition: Callable[[], T | None], what: str = "", *, deadline_s: float = HANG_S, every_s: float = 0.05
) -> T:
    """Repeat the condition until it returns a true value; return the value.

    An `AssertionError` inside the condition counts as "not yet", so a condition may use plain asserts.

    Raises:
        AssertionError: the deadline has passed; the message has `what` and the last answer.
    """
    end_s = time.monotonic() + deadline_s
    while True:
        last: object
        try:
            value = condition()
        except AssertionError as error:
            last = error
        else:
            if value:
                return value
            last = value
        if time.monotonic() >= end_s:
            raise AssertionError(f"not within {deadline_s} s: {what or condition}; last: {last!r}")
        time.sleep(every_s)


def end_of(consumer: Consumer, topic: str, partition: int) -> int:
    """Return a partition's high watermark; retry while a broker that has just started does not answer.

    Each try looks the topic up first: a client that lost its broker may still treat the partition as unknown.
    """

    def asked() -> tuple[int, int]:
        try:
            consumer.list_topics(topic, 10)
            return consumer.get_watermark_offsets(TopicPartition(topic, partition), 10)
        except KafkaException as error:
            raise AssertionError(str(error)) from error

    return eventually(asked, f"the end of {topic}, partition {partition}")[1]
