"""Builds a worker from the settings: the lanes over Kafka and Redis, the releases, the group membership."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from random import Random
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
from segue.connect.lane_connections import lane_config, open_log, open_store, rules_of
from streamer.drift.drift_watch import DriftWatch
from streamer.drift.sample_users import sample_users
from streamer.lane.lane import Lane
from streamer.redis.redis_client import policy_doubt
from streamer.redis.redis_rights import check_rights
from streamer.releases.release_follower import Releases
from streamer.status.status_server import check_address
from streamer.status.worker_logs import set_up_logs
from streamer.status.worker_metrics import Metrics
from streamer.worker.event_spans import open_spans
from streamer.worker.lane_boards import LaneBoard, StatusBoard
from streamer.worker.lane_threads import LaneThreads, OpenLane
from streamer.worker.worker_app import build_worker, run_worker
from streamer.worker.worker_config import WorkerConfig

_Found = TypeVar("_Found")

_RETRY_S = 1.0
_ASK_S = 5.0
_MAY_PASS = retry_if_exception_type(Unreachable) & retry_if_not_exception_type(Unusable)

log = structlog.get_logger("segue.build_worker")


def work(settings: Settings) -> int:
    """Run a worker until a signal comes or an error ends it, and return the exit code.

    The worker waits for Kafka, for Redis and for a first release. The log names what it waits for.

    Raises:
        SegueError: waiting does not help, for example if the topics do not fit together or Redis evicts keys.
    """
    set_up_logs(json=settings.log_format == "json")
    worker_config(settings, 0)  # reports a bad setting before the worker waits for a server
    if settings.web_port is not None:
        check_address(settings.web_host, settings.web_port)
    with _ends_in_order():
        partitions = _waited_for(lambda: make_topics(settings, _topics_made, deadline_s=_ASK_S))
        _waited_for(lambda: _check_redis(settings))
        releases = _waited_for(lambda: _started(settings))
    spans = open_spans()
    try:
        metrics = Metrics()
        config = worker_config(settings, partitions)
        board = StatusBoard(metrics, spans)
        lanes = LaneThreads(
            _open_lane(settings, partitions, releases),
            lambda partition: worker.still_ours(partition),  # noqa: PLW0108 - worker is assigned below
            board,
        )
        drift = DriftWatch(
            releases.current,
            board.statuses,
            lambda numbers: sample_users(settings.redis, settings.redis_prefix, numbers, Random()),
            rules_of(settings),
        )
        worker = build_worker(config, lanes, releases, metrics, drift.status)
        drift.start()
        try:
            return run_worker(worker)
        finally:
            drift.close()
    finally:
        releases.close()
        if spans is not None:
            spans.close()


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


def _open_lane(
    settings: Settings, partitions: int, releases: Releases
) -> Callable[[LaneBoard, Callable[[], bool]], OpenLane]:
    config = lane_config(settings, partitions)

    def open_lane(board: LaneBoard, closing: Callable[[], bool]) -> OpenLane:
        lane_log = open_log(settings, board.partition, closing)
        store = open_store(settings, board.partition)
        lane = Lane(
            board.partition,
            lane_log,
            store,
            releases,
            config,
            board,
            clock=lambda: datetime.now(UTC),
            closing=closing,
        )
        return OpenLane(lane, lane_log, store)

    return open_lane


@contextmanager
def _ends_in_order() -> Iterator[None]:
    """End with exit code 0 at SIGTERM while the worker waits, as it does later while it works."""
    former = signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


def _waited_for(attempt: Callable[[], _Found]) -> _Found:
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
    doubt = policy_doubt(settings.redis, _ASK_S)
    if doubt is not None:
        log.warning("redis.doubt", reason=doubt)
    check_rights(settings.redis, settings.redis_prefix, _ASK_S)


def _started(settings: Settings) -> Releases:
    releases = Releases(
        settings.kafka_client,
        settings.topics,
        settings.read_features,
        exclude_statuses=frozenset(settings.exclude_statuses),
        time_zone=settings.time_zone,
    )
    releases.start()
    return releases
