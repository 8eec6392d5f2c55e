"""Opens a lane's settings and connections, for the worker and the bootstrap."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import UNSET

from schemas.days import UTC_NAME
from schemas.features import beyond_default, left_out
from schemas.inputs.forms.event_form import EventForms
from schemas.times import parse_length
from segue.config.registry_extra import unframe_of
from segue.config.settings import Settings
from streamer.batch.lane_config import LaneConfig
from streamer.kafka.kafka_client import Deadlines
from streamer.kafka.kafka_log import KafkaLog
from streamer.place.place import FoldSettings
from streamer.redis.cluster_store import store_at
from streamer.redis.redis_store import RedisStore
from streamer.user.order_rules import Rules


def lane_config(settings: Settings, partitions: int) -> LaneConfig:
    """Return the settings that all lanes share.

    The fold keeps the values for every feature in the settings, also for features that the current model does
    not use. So a new model with other features works with the same states.

    Args:
        settings: the settings.
        partitions: how many partitions the lanes' topics have.

    Raises:
        NotInstalled: a Schema Registry is set, and the packages that read it are not installed.
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
            left_out(rules.features),
            UNSET if settings.forms == EventForms() else settings.forms,
            rules.time_zone if rules.of_time and rules.time_zone != UTC_NAME else UNSET,
        ),
        similar_users=settings.similar_users,
        max_batch=settings.max_batch,
        sweep_per_s=settings.sweep_per_s,
        max_ahead=parse_length(settings.max_ahead),
        unframe=unframe_of(settings),
    )


def rules_of(settings: Settings) -> Rules:
    """Return the rules of a lane's steps: statuses, features, margin and time zone."""
    return Rules(
        settings.topic_prefix,
        frozenset(settings.exclude_statuses),
        settings.read_features,
        settings.min_margin,
        settings.time_zone,
    )


def open_log(settings: Settings, partition: int, closing: Callable[[], bool] = lambda: False) -> KafkaLog:
    """Open a lane's consumer and producer. They connect in the background.

    Args:
        settings: the settings.
        partition: the lane's partition.
        closing: returns whether the lane is being closed.
    """
    return KafkaLog(
        partition,
        settings.topics.inputs,
        settings.group,
        settings.kafka_client,
        settings.partitioner,
        Deadlines(transaction_ms=settings.transaction_timeout_ms),
        closing,
    )


def open_store(settings: Settings, partition: int, lanes: int | None = None) -> RedisStore:
    """Open a lane's store in Redis. It connects with its first call.

    Args:
        settings: name the Redis and the prefix.
        partition: the lane's partition.
        lanes: how many lanes there are; only a search for similar users needs it.
    """
    return store_at(settings.redis, partition, settings.redis_prefix, lanes=lanes)
