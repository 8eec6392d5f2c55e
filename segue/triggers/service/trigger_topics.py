"""Creates and checks the topics of the triggers."""

from __future__ import annotations

from collections.abc import Callable

# The package does not list this public name in its __all__.
from confluent_kafka.admin import NewTopic

from schemas.errors import BadTopics
from schemas.topics import trigger_topic_configs
from segue.config.settings import Settings
from segue.connect.kafka_access import DEADLINE_S, patiently
from streamer.kafka.kafka_admin import Admin, missing
from streamer.kafka.topics_admin import check_config, create_topic


def trigger_group(settings: Settings) -> str:
    """Return the consumer group of the triggers."""
    return f"{settings.group}-triggers"


def prepare_trigger_topics(settings: Settings, say: Callable[[str], None]) -> int:
    """Create the topics that are missing, check all, and return how many partitions the changes have.

    Args:
        settings: name the Kafka and the topics.
        say: called with a sentence that names the new topics.

    Raises:
        BadTopics: there is no topic of changes, or the topics do not fit together.
        Unreachable: Kafka does not answer.
    """
    return patiently(settings, lambda: _prepare(settings, say))


def _prepare(settings: Settings, say: Callable[[str], None]) -> int:
    topics, admin = settings.topics, Admin(settings.kafka_client, DEADLINE_S)
    configs = trigger_topic_configs(topics)
    found = admin.describe([topics.changes, topics.users, *configs])
    if absent := [name for name in (topics.changes, topics.users) if name not in found]:
        raise missing(absent)
    count = found[topics.changes].partitions
    copies = settings.replication_factor or -1
    made = [
        name
        for name, config in configs.items()
        if name not in found and create_topic(admin, NewTopic(name, count, copies, config=config), DEADLINE_S)
    ]
    if made:
        say(f"Created the topics {', '.join(made)}; {count} partitions each.")
    found |= admin.describe_settled(list(configs))
    for name in (topics.users, *configs):
        if found[name].partitions != count:
            raise BadTopics(
                f"topic {topics.changes} has {count} partitions and {name} has {found[name].partitions}: a"
                " user must have the same number in both, so create it again with equal counts"
            )
    for name, config in configs.items():
        check_config(admin, name, config)
    return count
