"""What comes before a worker's work: its log, a check of the settings, and the wait for Kafka and Redis."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import structlog
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    retry_if_not_exception_type,
    wait_fixed,
)

from schemas.errors import Unreachable, Unusable
from segue.config.settings import Settings
from segue.connect.kafka_access import make_topics
from streamer.redis.redis_client import check_policy
from streamer.redis.redis_rights import check_rights
from streamer.status.status_server import check_address
from streamer.status.worker_logs import set_up_logs
from streamer.worker.worker_config import WorkerConfig

_Found = TypeVar("_Found")

_RETRY_S = 1.0
_ASK_S = 5.0
_MAY_PASS = retry_if_exception_type(Unreachable) & retry_if_not_exception_type(Unusable)

log = structlog.get_logger("segue.prepare_worker")


def prepare_worker(settings: Settings) -> int:
    """Wait for Kafka and Redis, make missing topics, and return how many partitions the lanes' topics have.

    Raises:
        SegueError: waiting does not help, for example if the topics do not fit together or Redis evicts keys.
    """
    set_up_logs(json=settings.log_format == "json")
    worker_config(settings, 0)  # reports a bad setting before the worker waits for a server
    if settings.web_port is not None:
        check_address(settings.web_host, settings.web_port)
    partitions = waited_for(lambda: make_topics(settings, _topics_made, deadline_s=_ASK_S))
    waited_for(lambda: _check_redis(settings))
    return partitions


def worker_config(settings: Settings, partitions: int) -> WorkerConfig:
    """Return the settings of the group membership and the web server.

    Args:
        settings: the settings.
        partitions: how many partitions the lanes' topics have.
    """
    return WorkerConfig(
        kafka=settings.kafka_client,
        partitions=partitions,
        topics=settings.topics,
        group=settings.group,
        session_timeout_ms=settings.session_timeout_ms,
        heartbeat_interval_ms=settings.heartbeat_interval_ms,
        rebalance_timeout_ms=settings.rebalance_timeout_ms,
        no_progress_s=settings.no_progress_s,
        web_host=settings.web_host,
        web_port=settings.web_port,
    )


@contextmanager
def ends_in_order() -> Iterator[None]:
    """End with exit code 0 at SIGTERM while a worker waits, as it does later while it works."""
    former = signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


def waited_for(attempt: Callable[[], _Found]) -> _Found:
    """Return the attempt's result; repeat the attempt until its server answers. Log why the worker waits."""
    reason: str | None = None

    def say(state: RetryCallState) -> None:
        nonlocal reason
        assert state.outcome is not None
        before, reason = reason, str(state.outcome.exception())
        if reason != before:
            log.warning("worker.waits", reason=reason)

    found = Retrying(retry=_MAY_PASS, wait=wait_fixed(_RETRY_S), before_sleep=say)(attempt)
    if reason is not None:
        log.info("worker.goes_on")
    return found


def _topics_made(sentence: str) -> None:
    log.info("topics.made", what=sentence)


def _check_redis(settings: Settings) -> None:
    doubt = check_policy(settings.redis, _ASK_S)
    if doubt is not None:
        log.warning("redis.doubt", reason=doubt)
    check_rights(settings.redis, settings.redis_prefix, _ASK_S)
