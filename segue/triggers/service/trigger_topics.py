"""Creates and checks the topics of the triggers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

# The package does not list this public name in its __all__.
from confluent_kafka.admin import NewTopic

from schemas.errors import BadTopics
from schemas.topics import trigger_topic_configs
from segue.config.settings import Settings
from segue.connect.kafka_access import DEADLINE_S, created_text, patiently
from segue.connect.wait_for_servers import answer_s
from streamer.kafka.kafka_admin import Admin, TopicFacts, missing
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

    def prepare() -> int:
        admin = Admin(settings.kafka_client, DEADLINE_S)
        found = _found(settings, admin)
        count = found[settings.topics.changes].partitions
        copies = settings.replication_factor or -1
        configs = trigger_topic_configs(settings.topics)
        made = [
            name
            for name, config in configs.items()
            if name not in found
            and create_topic(admin, NewTopic(name, count, copies, config=config), DEADLINE_S)
        ]
        if made:
            say(created_text(made, count))
        return _check(settings, admin, found | admin.describe_settled(list(configs)))

    return patiently(settings, prepare)


def check_trigger_topics(settings: Settings) -> None:
    """Check the topics that `segue triggers run` has created.

    Args:
        settings: name the Kafka and the topics.

    Raises:
        BadTopics: a topic is missing, or the topics do not fit together.
        Unreachable: Kafka does not answer.
    """

    def check() -> None:
        admin = Admin(settings.kafka_client, answer_s(DEADLINE_S))
        found = _found(settings, admin)
        if absent := [name for name in trigger_topic_configs(settings.topics) if name not in found]:
            raise BadTopics(
                f"there is no {' and no '.join(absent)}: `segue triggers run` makes them, or"
                " correct the setting topic_prefix"
            )
        _check(settings, admin, found)

    patiently(settings, check)


def _found(settings: Settings, admin: Admin) -> dict[str, TopicFacts]:
    """Return the facts of the topics that exist.

    Raises:
        BadTopics: a topic that workers write does not exist.
    """
    topics = settings.topics
    found = admin.describe([topics.changes, topics.users, *trigger_topic_configs(topics)])
    if absent := [name for name in (topics.changes, topics.users) if name not in found]:
        raise missing(absent)
    return found


def _check(settings: Settings, admin: Admin, found: Mapping[str, TopicFacts]) -> int:
    topics, configs = settings.topics, trigger_topic_configs(settings.topics)
    count = found[topics.changes].partitions
    for name in (topics.users, *configs):
        if found[name].partitions != count:
            raise BadTopics(
                f"topic {topics.changes} has {count} partitions and {name} has {found[name].partitions}: a"
                " user must have the same number in both, so create it again with equal counts"
            )
    for name, config in configs.items():
        check_config(admin, name, config)
    return count
