"""What every command asks Kafka at first, and how it waits for one that has only just started, or is slow."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from schemas.topics import topic_configs
from segue.config.settings import Settings
from segue.connect.wait_for_servers import Wait
from streamer.kafka.kafka_admin import Admin
from streamer.kafka.topics_admin import check_topics, create_topics

Found = TypeVar("Found")

DEADLINE_S = 10.0
"""How long one answer of Kafka may take before a command asks again."""


def wait_for_kafka(settings: Settings) -> Wait:
    """A wait for the Kafka of these settings."""
    return Wait(f"Kafka at {settings.kafka}")


def patiently(settings: Settings, attempt: Callable[[], Found]) -> Found:
    """What a question to Kafka brings, asked again while Kafka does not answer; errors as in :class:`Wait`."""
    return wait_for_kafka(settings).until_answered(attempt)


def lanes_of(settings: Settings) -> int:
    """Check the topics; how many partitions the lanes' topics have.

    Raises:
        BadTopics: they do not fit together, or are not there.
        Unreachable: Kafka does not answer.
    """
    return patiently(
        settings, lambda: check_topics(settings.kafka_client, settings.topics, deadline_s=DEADLINE_S)
    )


def prepare_topics(settings: Settings, say: Callable[[str], None]) -> int:
    """:func:`make_topics`, and Kafka is waited for."""
    return patiently(settings, lambda: make_topics(settings, say, deadline_s=DEADLINE_S))


def make_topics(settings: Settings, say: Callable[[str], None], *, deadline_s: float) -> int:
    """Make the topics that are missing, with as many partitions as their sisters have, and check all.

    Args:
        say: takes a sentence that names what was made.

    Returns:
        How many partitions the lanes' topics have.

    Raises:
        BadTopics: they do not fit together, or cannot be made.
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
        if made:  # else another has made them meanwhile
            say(f"Created the topics {', '.join(made)}; {partitions} partitions each, {topics.models} 1.")
    return check_topics(client, topics, deadline_s=deadline_s)
