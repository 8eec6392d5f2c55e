"""Servers for tests, and waiting for conditions."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
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
def session_services(say: Callable[[str], None]) -> Iterator[Services]:
    """Yield Kafka and Redis for the session: named by the two variables, in Docker, or local."""
    with find_services(
        kafka=os.environ.get(KAFKA_VARIABLE), redis=os.environ.get(REDIS_VARIABLE), say=say
    ) as found:
        if isinstance(found, NoServices):
            not_here(found.reason, found.install)
        yield found


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
