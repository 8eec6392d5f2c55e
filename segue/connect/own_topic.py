"""Creates a user's own topic, beside Segue's topics."""

from __future__ import annotations

import re

# The package does not list this public name in its __all__.
from confluent_kafka.admin import NewTopic

from schemas.topics import topic_configs
from segue.config.command_line import bad_option
from segue.config.settings import Settings
from segue.connect.kafka_access import DEADLINE_S
from streamer.kafka.kafka_admin import Admin
from streamer.kafka.topics_admin import create_topic

_LEGAL = re.compile(r"[A-Za-z0-9._-]{1,249}")


def prepare_own_topic(settings: Settings, option: str, name: str, partitions: int) -> bool:
    """Create a topic if it does not exist.

    Args:
        settings: name the Kafka, and Segue's topics.
        option: the command's option that names the topic, for the message.
        name: the topic.
        partitions: how many partitions a new topic gets.

    Returns:
        Whether the topic was created.

    Raises:
        BadUsage: Kafka takes no such name, or the topic is one of Segue's topics.
        BadTopics: the topic cannot be created.
        Unreachable: Kafka does not answer.
    """
    if not _LEGAL.fullmatch(name) or name in (".", ".."):
        raise bad_option(option, name, "Kafka's names take letters, digits, '.', '_' and '-', at most 249")
    if name in topic_configs(settings.topics):
        raise bad_option(option, name, "give a topic that workers neither read nor write")
    admin = Admin(settings.kafka_client, DEADLINE_S)
    if admin.describe([name]):
        return False
    wanted = NewTopic(name, partitions, settings.replication_factor or -1)
    made = create_topic(admin, wanted, DEADLINE_S)
    admin.describe_settled([name])
    return made
