"""Servers as fixtures, markers from folders, and skips said aloud."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis
import structlog
from hypothesis import HealthCheck, settings

from segue.services import KafkaService, LocalKafka, LocalRedis, RedisService, Services
from tests.support.servers.services import session_services, start_server

_TESTS = Path(__file__).parent
_KINDS = ("unit", "property", "contract", "integration", "browser")


def pytest_configure() -> None:
    """No test fails because an example is slow: that depends on the machine. In CI the examples are fixed, so
    that no change fails by another draw; elsewhere each run draws new ones.
    """
    settings.register_profile(
        "segue",
        deadline=None,
        derandomize="CI" in os.environ,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("segue")
    _let_interrupts_through()


def _let_interrupts_through() -> None:
    """A shell starts its jobs in the background with SIGINT ignored, which every process would inherit."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test's marker is the name of its folder: `-m property`."""
    for item in items:
        if not item.path.is_relative_to(_TESTS):
            item.add_marker("unit")  # an example in a docstring
            continue
        kind = item.path.relative_to(_TESTS).parts[0]
        if kind in _KINDS:
            item.add_marker(kind)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A skipped test is not a passed one: says how many, and why."""
    skipped = terminalreporter.stats.get("skipped", [])
    if not skipped:
        return
    terminalreporter.section(f"{len(skipped)} NOT RUN", yellow=True)
    reasons: dict[str, int] = {}
    for report in skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[reason] = reasons.get(reason, 0) + 1
    for reason, count in reasons.items():
        terminalreporter.write_line(f"{count} x {reason}")


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """A test that sets the log up leaves no other test to write into its closed stream."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def services(pytestconfig: pytest.Config) -> Iterator[Services]:
    """A Kafka and a Redis that all tests of the session share. Never kill them, never flush all of it."""
    reporter = pytestconfig.pluginmanager.get_plugin("terminalreporter")

    def say(text: str) -> None:
        if reporter is not None:
            reporter.write_line(text)

    with session_services(say) as found:
        yield found


@pytest.fixture(scope="session")
def kafka(services: Services) -> KafkaService:
    """The session's Kafka: `kafka.bootstrap`."""
    return services.kafka


@pytest.fixture(scope="session")
def redis_server(services: Services) -> RedisService:
    """The session's Redis: `redis_server.url`."""
    return services.redis


@pytest.fixture
def topic_prefix() -> str:
    """A prefix for topics, groups and transactional ids that no other test has."""
    return f"t{uuid.uuid4().hex[:10]}-"


@pytest.fixture
def redis_prefix(redis_server: RedisService) -> Iterator[str]:
    """A prefix for keys that no other test has; its keys are deleted after the test."""
    prefix = f"t{uuid.uuid4().hex[:10]}:"
    yield prefix
    with redis.Redis.from_url(redis_server.url) as client:
        for key in client.scan_iter(match=f"{prefix}*", count=10_000):
            client.unlink(key)


@pytest.fixture
def fresh_kafka() -> Iterator[Callable[..., LocalKafka]]:
    """Starts a Kafka of the test's own, to kill, pause and restart: `fresh_kafka(properties={…})`."""
    with ExitStack() as stack:
        yield lambda **options: start_server(stack, LocalKafka(**options))


@pytest.fixture
def fresh_redis() -> Iterator[Callable[..., LocalRedis]]:
    """Starts a Redis of the test's own: `fresh_redis(options={"maxmemory": "64mb"})`."""
    with ExitStack() as stack:
        yield lambda **options: start_server(stack, LocalRedis(**options))
