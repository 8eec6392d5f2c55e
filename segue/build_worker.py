"""Builds a worker from the settings: the lanes over Kafka and Redis, the releases, the group membership."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from random import Random

from segue.config.settings import Settings
from segue.connect.lane_connections import lane_config, open_log, open_store, rules_of
from segue.prepare_worker import ends_in_order, prepare_worker, waited_for, worker_config
from streamer.drift.drift_watch import DriftWatch
from streamer.drift.sample_users import sample_users
from streamer.lane.lane import Lane
from streamer.releases.release_follower import Releases
from streamer.status.worker_metrics import Metrics
from streamer.worker.event_spans import open_spans
from streamer.worker.lane_boards import LaneBoard, StatusBoard
from streamer.worker.lane_threads import LaneThreads, OpenLane
from streamer.worker.process_part import ProcessPart
from streamer.worker.worker_app import build_worker, run_worker


def work(settings: Settings, part: ProcessPart | None = None) -> int:
    """Run a worker until a signal comes or an error ends it, and return the exit code.

    The worker waits for Kafka, for Redis and for a first release. The log names what it waits for.

    Args:
        settings: the settings.
        part: what the worker knows if it is one process of several; then the parent has prepared the servers.

    Raises:
        SegueError: waiting does not help, for example if the topics do not fit together or Redis evicts keys.
    """
    with ends_in_order():
        partitions = prepare_worker(settings) if part is None else part.partitions
        releases = waited_for(lambda: _started(settings))
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
        worker = build_worker(config, lanes, releases, metrics, drift.status, part)
        drift.start()
        try:
            return run_worker(worker)
        finally:
            drift.close()
    finally:
        releases.close()
        if spans is not None:
            spans.close()


def _open_lane(
    settings: Settings, partitions: int, releases: Releases
) -> Callable[[LaneBoard, Callable[[], bool]], OpenLane]:
    config = lane_config(settings, partitions)

    def open_lane(board: LaneBoard, closing: Callable[[], bool]) -> OpenLane:
        lane_log = open_log(settings, board.partition, closing)
        store = open_store(settings, board.partition, partitions)
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
