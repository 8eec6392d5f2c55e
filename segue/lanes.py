"""A lane's settings and connections, as the worker and the bootstrap open them."""

from __future__ import annotations

from collections.abc import Callable

from schemas.features import FEATURE_NAMES
from segue.settings import Settings
from streamer.kafka_client import Deadlines
from streamer.kafka_log import KafkaLog
from streamer.lane_config import LaneConfig
from streamer.place import FoldSettings
from streamer.process import Rules
from streamer.store import RedisStore


def lane_config(settings: Settings, partitions: int) -> LaneConfig:
    """What all lanes share.

    The fold keeps what every feature needs, whichever the model takes: so a model with other features
    needs no other states.
    """
    statuses = tuple(sorted(settings.exclude_statuses))
    return LaneConfig(
        topics=settings.topics,
        rules=Rules(settings.topic_prefix, frozenset(statuses)),
        settings=FoldSettings(FEATURE_NAMES, partitions, statuses, settings.partitioner),
        similar_users=settings.similar_users,
        max_batch=settings.max_batch,
        sweep_per_s=settings.sweep_per_s,
    )


def open_log(settings: Settings, partition: int, closing: Callable[[], bool] = lambda: False) -> KafkaLog:
    """A lane's side of Kafka; connects in the background."""
    return KafkaLog(
        partition,
        settings.topics,
        settings.group,
        settings.kafka_client,
        settings.partitioner,
        Deadlines(transaction_ms=settings.transaction_timeout_ms),
        closing,
    )


def open_store(settings: Settings, partition: int) -> RedisStore:
    """A lane's side of Redis; connects with its first call."""
    return RedisStore(settings.redis, partition, settings.redis_prefix)
