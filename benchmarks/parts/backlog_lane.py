"""A lane with a backlog of thelook's events, on a real Kafka and Redis, in this process."""

import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from importlib.resources import files
from itertools import islice

from schemas.outputs.segment_change import Change
from segue.config.load_settings import load_settings
from segue.config.settings import Settings
from segue.connect.kafka_access import patiently
from segue.connect.lane_connections import lane_config, open_log, open_store
from segue.events.send_events import Sender
from segue.events.warehouse_events import outgoing
from segue.services import Services
from streamer.batch.lane_config import Models
from streamer.batch.read_batch import Batch
from streamer.kafka.topics_admin import create_topics
from streamer.lane.lane import Lane
from streamer.segment.active_model import ActiveModel, BootstrapRecord
from streamer.segment.scoring import Scorer
from streamer.status.worker_status import Phase
from trainer.fit import Fit
from trainer.release.pipeline_numbers import release_of
from trainer.warehouse import open_warehouse


class OneModel:
    """A model source in which one fit's release is always current."""

    def __init__(self, made: Fit) -> None:
        names = [f"segment {cluster}" for cluster in range(made.pipeline["cluster"].n_clusters)]
        release = release_of(made, names)
        self._model = ActiveModel(release, Scorer(release), 0, "benchmark", datetime.now(UTC))

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


def backlog_lane(
    services: Services,
    models: Models,
    events: int,
    options: Mapping[str, object],
) -> Lane:
    """A lane with a backlog of thelook's events, after its takeover and its first batch.

    Args:
        services: a Kafka and a Redis.
        models: the release that decides.
        events: how many events the backlog has, beside those of the first batch.
        options: settings beside those of the servers.
    """
    prefix = f"bench-{uuid.uuid4().hex[:8]}-"
    settings = load_settings(
        options={
            "kafka": services.kafka.bootstrap,
            "redis": services.redis.url,
            "topic_prefix": prefix,
            "redis_prefix": f"{prefix}:",
            "group": prefix,
            "partitions": 1,
            **options,
        }
    )
    patiently(settings, lambda: create_topics(settings.kafka_client, settings.topics, 1))
    _fill(settings, events + 1_000)
    lane = Lane(
        0,
        open_log(settings, 0),
        open_store(settings, 0),
        models,
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


def seconds_each_event(lane: Lane, events: int) -> float:
    """The wall time of one event, over at least so many events of the lane's backlog."""
    taken, began = 0, time.perf_counter()
    while taken < events:
        taken += lane.step(5.0)
    return (time.perf_counter() - began) / taken
