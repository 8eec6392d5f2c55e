"""The topics and the group of the flow's tables."""

from __future__ import annotations

from collections.abc import Callable

# The package does not list this public name in its __all__.
from confluent_kafka.admin import NewTopic
from msgspec import Struct

from schemas.errors import BadTopics
from schemas.topics import Topics, flow_topic_configs
from segue.config.settings import Settings
from segue.connect.kafka_access import DEADLINE_S, created_text
from streamer.kafka.kafka_admin import Admin, TopicFacts, missing
from streamer.kafka.topics_admin import check_config, create_topic

HOUR_S, MINUTE_S = 3_600, 60


class Window(Struct, frozen=True):
    """How long a window of a table is, and how long it is kept, in seconds."""

    size_s: int
    kept_s: int


def flow_windows(topics: Topics) -> dict[str, Window]:
    """Return the windows of each table, by its changelog."""
    return {
        topics.flow_hours: Window(HOUR_S, 7 * 24 * HOUR_S),
        topics.flow_minutes: Window(MINUTE_S, 2 * HOUR_S),
    }


def flow_group(settings: Settings) -> str:
    """Return the consumer group of `segue flow`."""
    return f"{settings.group}-flow"


def prepare_flow_topics(settings: Settings, say: Callable[[str], None]) -> TopicFacts:
    """Create the changelogs that are missing, check them, and return the facts of the topic of changes.

    Args:
        settings: name the Kafka and the topics.
        say: called with a sentence that names the new topics.

    Raises:
        BadTopics: there is no topic of changes, or the topics do not fit together.
        Unreachable: Kafka does not answer.
    """
    admin, topics = Admin(settings.kafka_client, DEADLINE_S), settings.topics
    configs = flow_topic_configs(topics)
    found = admin.describe([topics.changes, *configs])
    changes = found.get(topics.changes)
    if changes is None:
        raise missing([topics.changes])
    made = [
        name
        for name, config in configs.items()
        if name not in found
        and create_topic(
            admin,
            NewTopic(name, changes.partitions, settings.replication_factor or -1, config=config),
            DEADLINE_S,
        )
    ]
    if made:
        say(created_text(made, changes.partitions))
    found |= admin.describe_settled(list(configs))
    for name, config in configs.items():
        if found[name].partitions != changes.partitions:
            raise BadTopics(
                f"topic {topics.changes} has {changes.partitions} partitions and {name} has"
                f" {found[name].partitions}: delete {name}, and `segue flow` makes it again and counts from"
                " then on"
            )
        check_config(admin, name, config)
    return changes
