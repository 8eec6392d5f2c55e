"""What tests with real servers share: the servers, and waiting for conditions."""

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
"""What takes longer hangs. No machine is too slow for a test."""

KAFKA_VARIABLE = "SEGUE_TEST_KAFKA"
REDIS_VARIABLE = "SEGUE_TEST_REDIS"


@contextmanager
def session_services(say: Callable[[str], None]) -> Iterator[Services]:
    """Kafka and Redis for the whole session: named by the two variables, in Docker, or local."""
    with find_services(
        kafka=os.environ.get(KAFKA_VARIABLE), redis=os.environ.get(REDIS_VARIABLE), say=say
    ) as found:
        if isinstance(found, NoServices):
            not_here(found.reason, found.install)
        yield found


def start_server(stack: ExitStack, server: Server) -> Server:
    """Starts a server of the test's own, which ends with the stack."""
    try:
        stack.enter_context(server)
    except ServiceTrouble as trouble:
        if not trouble.install:  # all is there, and it does not start: that is a failure
            raise
        not_here(str(trouble), trouble.install)
    return server


def not_here(reason: str, install: tuple[str, ...]) -> NoReturn:
    """Skips the test; with SEGUE_TEST_REQUIRE_SERVICES=1, which `make test` sets, it fails instead."""
    text = f"no server to test with: {reason} Install: {' '.join(install)}"
    if os.environ.get("SEGUE_TEST_REQUIRE_SERVICES") == "1":
        pytest.fail(text)
    pytest.skip(text)


def eventually(
    condition: Callable[[], T | None], what: str = "", *, deadline_s: float = HANG_S, every_s: float = 0.05
) -> T:
    """Asks until the condition gives something true, and returns that.

    An `AssertionError` inside the condition counts as "not yet", so it may use plain asserts.

    Raises:
        AssertionError: the deadline has passed; it names `what` and the last answer.
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
    """A partition's high watermark, asked for until a broker says it: one that has only just begun does not.

    The topic is looked up each time: a client that lost its broker may go on taking a partition for unknown.
    """

    def asked() -> tuple[int, int]:
        try:
            consumer.list_topics(topic, 10)
            return consumer.get_watermark_offsets(TopicPartition(topic, partition), 10)
        except KafkaException as error:
            raise AssertionError(str(error)) from error

    return eventually(asked, f"the end of {topic}, partition {partition}")[1]
