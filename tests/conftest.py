"""Fixtures for servers, a marker for each folder of tests, and a summary of skipped tests."""

from __future__ import annotations

import gc
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
_SERVERS = pytest.StashKey[ExitStack]()
_KINDS = ("unit", "property", "contract", "integration", "browser")


def pytest_configure() -> None:
    """Configure Hypothesis: no deadline for an example, and fixed examples in CI.

    The speed of an example depends on the machine. Fixed examples keep CI from failing on a new draw;
    elsewhere each run draws new examples.
    """
    settings.register_profile(
        "segue",
        deadline=None,
        derandomize="CI" in os.environ,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("segue")
    # A process of thousands of tests holds many objects; collecting as often as by default takes an eighth of
    # its time.
    gc.set_threshold(50_000, 20, 50)
    _let_interrupts_through()


def _let_interrupts_through() -> None:
    """Restore the SIGINT handler: a shell ignores SIGINT in background jobs, and children inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with the name of its folder, for `-m property`."""
    for item in items:
        if not item.path.is_relative_to(_TESTS):
            item.add_marker("unit")  # an example in a docstring
            continue
        kind = item.path.relative_to(_TESTS).parts[0]
        if kind in _KINDS:
            item.add_marker(kind)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many tests were skipped, and why."""
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
    """Reset the log after each test, so that no later test writes into a closed stream."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def services(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Services:
    """The Kafka and the Redis that all tests of the session share. Never kill or flush these servers.

    The processes of a run share the Kafka; each has its own Redis.
    """
    reporter = pytestconfig.pluginmanager.get_plugin("terminalreporter")

    def say(text: str) -> None:
        if reporter is not None:
            reporter.write_line(text)

    of_several = hasattr(pytestconfig, "workerinput")
    run = tmp_path_factory.getbasetemp().parent if of_several else None
    servers = pytestconfig.stash.setdefault(_SERVERS, ExitStack())
    return servers.enter_context(session_services(say, run))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """End the servers; the process that has started the Kafka waits for the others.

    The end of a fixture would be a part of the last test, whose time is limited.
    """
    session.config.stash.get(_SERVERS, ExitStack()).close()


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
    """Start a Kafka for one test, to kill, pause and restart: `fresh_kafka(properties={…})`."""
    with ExitStack() as stack:
        yield lambda **options: start_server(stack, LocalKafka(**options))


@pytest.fixture
def fresh_redis() -> Iterator[Callable[..., LocalRedis]]:
    """Start a Redis for one test: `fresh_redis(options={"maxmemory": "64mb"})`."""
    with ExitStack() as stack:
        yield lambda **options: start_server(stack, LocalRedis(**options))
