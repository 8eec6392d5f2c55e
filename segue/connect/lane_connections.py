"""A lane's settings and connections, as the worker and the bootstrap open them."""

from __future__ import annotations

from collections.abc import Callable

from schemas.features import beyond_default
from schemas.times import parse_length
from segue.config.settings import Settings
from streamer.batch.lane_config import LaneConfig
from streamer.kafka.kafka_client import Deadlines
from streamer.kafka.kafka_log import KafkaLog
from streamer.place.place import FoldSettings
from streamer.redis.redis_store import RedisStore
from streamer.user.order_rules import Rules


def lane_config(settings: Settings, partitions: int) -> LaneConfig:
    """What all lanes share.

    The fold keeps what every declared feature needs, whichever the model takes: so a model with others of
    them needs no other states.
    """
    rules = rules_of(settings)
    return LaneConfig(
        topics=settings.topics,
        rules=rules,
        settings=FoldSettings(
            partitions,
            tuple(sorted(rules.exclude_statuses)),
            settings.partitioner,
            beyond_default(rules.features),
            settings.rekey,
        ),
        similar_users=settings.similar_users,
        max_batch=settings.max_batch,
        sweep_per_s=settings.sweep_per_s,
        max_ahead=parse_length(settings.max_ahead),
    )


def rules_of(settings: Settings) -> Rules:
    """What a lane's steps go by."""
    return Rules(
        settings.topic_prefix, frozenset(settings.exclude_statuses), settings.declared, settings.min_margin
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
