"""The topics, for a command that needs them: made where they are missing, then checked."""

from __future__ import annotations

from collections.abc import Callable

from schemas.topics import topic_configs
from segue.settings import Settings
from streamer.kafka_admin import Admin
from streamer.topics_admin import check_topics, create_topics

DEADLINE_S = 10.0
"""How long a command waits for an answer of Kafka."""


def prepare_topics(settings: Settings, say: Callable[[str], None], *, deadline_s: float = DEADLINE_S) -> int:
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
        say(f"Created the topics {', '.join(made)}; {partitions} partitions each, {topics.models} 1.")
    return check_topics(client, topics, deadline_s=deadline_s)
