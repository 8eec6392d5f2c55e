"""A topic of somebody's own, beside Segue's."""

from __future__ import annotations

# Some of its public names are missing from its __all__.
from confluent_kafka.admin import NewTopic

from schemas.topics import topic_configs
from segue.config.command_line import bad_option
from segue.config.settings import Settings
from segue.connect.kafka_access import DEADLINE_S
from streamer.kafka.kafka_admin import Admin
from streamer.kafka.topics_admin import create_topic


def prepare_own_topic(settings: Settings, option: str, name: str, partitions: int) -> bool:
    """Make a topic, if it is not there.

    Returns:
        Whether it was made.

    Raises:
        BadUsage: it is one of Segue's topics.
        BadTopics: it cannot be made.
        Unreachable: Kafka does not answer.
    """
    if name in topic_configs(settings.topics):
        raise bad_option(option, name, "give a topic that workers neither read nor write")
    admin = Admin(settings.kafka_client, DEADLINE_S)
    if admin.describe([name]):
        return False
    wanted = NewTopic(name, partitions, settings.replication_factor or -1)
    made = create_topic(admin, wanted, DEADLINE_S)
    admin.describe_settled([name])
    return made
