"""The first requests of every command to Kafka. They wait for a Kafka that is starting or slow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from schemas.counted import counted
from schemas.topics import topic_configs
from segue.config.settings import Settings
from segue.connect.wait_for_servers import Wait
from streamer.kafka.kafka_admin import Admin
from streamer.kafka.topics_admin import check_topics, create_topics

Found = TypeVar("Found")

DEADLINE_S = 10.0
"""Seconds that one answer of Kafka may take before a command asks again."""


def wait_for_kafka(settings: Settings) -> Wait:
    """Return a :class:`Wait` for the Kafka of these settings."""
    return Wait(f"Kafka at {settings.kafka}")


def patiently(settings: Settings, attempt: Callable[[], Found]) -> Found:
    """Return the result of a request to Kafka; repeat the request while Kafka does not answer.

    Args:
        settings: name the Kafka.
        attempt: the request. It raises Unreachable if Kafka does not answer.

    Raises:
        LoginRefused, Unusable: at once, because waiting does not help.
        Unreachable: Kafka has not answered for :data:`~segue.connect.wait_for_servers.PATIENCE_S`.
    """
    return wait_for_kafka(settings).until_answered(attempt)


def lanes_of(settings: Settings) -> int:
    """Check the topics, and return how many partitions the lanes' topics have.

    Raises:
        BadTopics: the topics do not fit together, or a topic is missing.
        Unreachable: Kafka does not answer.
    """
    return patiently(
        settings, lambda: check_topics(settings.kafka_client, settings.topics, deadline_s=DEADLINE_S)
    )


def prepare_topics(settings: Settings, say: Callable[[str], None]) -> int:
    """Call :func:`make_topics`, and wait for Kafka if it does not answer."""
    return patiently(settings, lambda: make_topics(settings, say, deadline_s=DEADLINE_S))


def created_text(made: Sequence[str], partitions: int, models: str | None = None) -> str:
    """Say which topics were created, and with how many partitions.

    >>> created_text(["orders", "signups", "segment-models"], 4, "segment-models")
    'Created the topics orders, signups (4 partitions each) and segment-models (1 partition).'
    >>> created_text(["segue-rekeyed"], 4, "segment-models")
    'Created the topic segue-rekeyed (4 partitions).'

    Args:
        made: the topics.
        partitions: how many partitions each of them has, but for ``models``.
        models: the topic of releases, which always has one; None if it cannot be among them.
    """
    laned = [name for name in made if name != models]
    each = " each" if len(laned) > 1 else ""
    parts = [f"{', '.join(laned)} ({counted(partitions, 'partition')}{each})"] if laned else []
    parts += [f"{models} (1 partition)"] if models in made else []
    return f"Created the {'topics' if len(made) > 1 else 'topic'} {' and '.join(parts)}."


def make_topics(settings: Settings, say: Callable[[str], None], *, deadline_s: float) -> int:
    """Create the missing topics, and check all topics.

    A new topic gets as many partitions as the existing topics of the lanes.

    Args:
        settings: name the topics, and give partitions and replication for the first time.
        say: called with a sentence that names the new topics, if there are new topics.
        deadline_s: seconds that one request may take.

    Returns:
        How many partitions the lanes' topics have.

    Raises:
        BadTopics: the topics do not fit together, or a topic cannot be created.
        Unreachable: Kafka does not answer in time.
    """
    client, topics = settings.kafka_client, settings.topics
    found = Admin(client, deadline_s).describe(list(topic_configs(topics)))
    if len(found) < len(topic_configs(topics)):
        partitions = next(
            (found[name].partitions for name in topics.laned if name in found), settings.partitions
        )
        made = create_topics(
            client, topics, partitions, replication=settings.replication_factor or -1, deadline_s=deadline_s
        )
        if made:  # else another process has created them in the meantime
            say(created_text(made, partitions, topics.models))
    return check_topics(client, topics, deadline_s=deadline_s)
