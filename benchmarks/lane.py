"""Measures a lane on real Kafka and Redis: batches of a thousand events against one transaction for each
event.
"""

import time
import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime
from importlib.resources import files
from itertools import islice

from benchmarks.measure import RUNS, Comparison, compare
from benchmarks.thelook import fitted
from schemas.outputs.segment_change import Change
from segue.config.load_settings import load_settings
from segue.config.settings import Settings
from segue.connect.kafka_access import patiently
from segue.connect.lane_connections import lane_config, open_log, open_store
from segue.events.send_events import Sender
from segue.events.warehouse_events import outgoing
from segue.services import NoServices, Services, find_services
from streamer.batch.read_batch import Batch
from streamer.kafka.topics_admin import create_topics
from streamer.lane.lane import Lane
from streamer.segment.active_model import ActiveModel, BootstrapRecord
from streamer.status.worker_status import Phase
from trainer.release.pipeline_numbers import release_of
from trainer.warehouse import open_warehouse

BATCHED, SINGLE = 4_000, 200


class _OneModel:
    """A model source in which the fitted release is always current."""

    def __init__(self) -> None:
        of = fitted()
        names = [f"segment {cluster}" for cluster in range(of.fit.pipeline["cluster"].n_clusters)]
        self._model = ActiveModel(release_of(of.fit, names), of.scorer, 0, "benchmark", datetime.now(UTC))

    def current(self) -> ActiveModel:
        return self._model

    def known_activation(self) -> int:
        return 0

    def problem(self) -> None:
        return None

    def release_by_version(self, _version: str) -> None:
        return None

    def bootstrap_standing(self) -> BootstrapRecord | None:
        return None


class _Nobody:
    """An observer that does nothing."""

    def phase(self, phase: Phase, reason: str | None) -> None: ...

    def reached(self, positions: dict[str, int], lag: dict[str, int]) -> None: ...

    def swept(self, activation: int, users: int, changes: Sequence[Change], left: int) -> None: ...

    def came_due(self, day: date, users: int, changes: Sequence[Change], left: int) -> None: ...

    def batch(self, batch: Batch, changes: Sequence[Change], seconds: dict[str, float]) -> None: ...


def backlog() -> Comparison | str:
    """Seconds for each event on one lane, with a backlog of thelook's events; a reason if it cannot be
    measured.
    """
    with find_services(kafka=None, redis=None, say=print) as services:
        if isinstance(services, NoServices):
            return f"not measured: {services.reason}"
        # Each lane continues in its log from run to run; the log has enough events for all runs.
        batched, single = _lane(services, 1_000), _lane(services, 1)
        return compare(
            "apply one event of a backlog, Kafka and Redis included",
            ("a thousand events a transaction", lambda: _seconds_each(batched, BATCHED)),
            ("a transaction an event", lambda: _seconds_each(single, SINGLE)),
        )


def _lane(services: Services, max_batch: int) -> Lane:
    prefix = f"bench-{uuid.uuid4().hex[:8]}-"
    settings = load_settings(
        options={
            "kafka": services.kafka.bootstrap,
            "redis": services.redis.url,
            "topic_prefix": prefix,
            "redis_prefix": f"{prefix}:",
            "group": prefix,
            "partitions": 1,
            "max_batch": max_batch,
        }
    )
    patiently(settings, lambda: create_topics(settings.kafka_client, settings.topics, 1))
    _fill(settings, RUNS * (BATCHED if max_batch > 1 else SINGLE) + 1_000)
    lane = Lane(
        0,
        open_log(settings, 0),
        open_store(settings, 0),
        _OneModel(),
        lane_config(settings, 1),
        _Nobody(),
        clock=lambda: datetime.now(UTC),
    )
    patiently(settings, lambda: lane.take_over(uuid.uuid4().hex))
    lane.step(10.0)
    return lane


def _fill(settings: Settings, most: int) -> None:
    with open_warehouse(str(files("segue") / "data" / "thelook")) as warehouse:
        events = outgoing(islice(warehouse.events(), most), settings.topics)
        Sender(settings.kafka_client, settings.partitioner).send(events)


def _seconds_each(lane: Lane, events: int) -> float:
    taken, began = 0, time.perf_counter()
    while taken < events:
        taken += lane.step(5.0)
    return (time.perf_counter() - began) / taken
