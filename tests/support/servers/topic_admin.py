"""Change a topic as an operator or compaction does: set its configuration, delete its records."""

from collections.abc import Mapping

from confluent_kafka import OFFSET_END, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from tests.support.servers.services import HANG_S, eventually

_REQUEST_S = 30


def set_config(bootstrap: str, topic: str, config: Mapping[str, str]) -> None:
    """Set these options of a topic; leave its other options."""
    entries = [
        ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        for name, value in config.items()
    ]
    admin = AdminClient({"bootstrap.servers": bootstrap})
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)
    (done,) = admin.incremental_alter_configs([resource], request_timeout=HANG_S).values()
    done.result(HANG_S)


def create_patiently(bootstrap: str, topics: list[NewTopic]) -> None:
    """Create topics. Where a broker was killed before, a request may get no answer: then ask anew."""

    def created() -> bool:
        admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
        for made in admin.create_topics(topics, request_timeout=_REQUEST_S).values():
            try:
                made.result(_REQUEST_S)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise AssertionError(str(error)) from error
            except TimeoutError as error:
                raise AssertionError("no answer") from error
        return True

    eventually(created, f"the topics {', '.join(str(topic) for topic in topics)}")


def lose_records(bootstrap: str, topic: str, partitions: int) -> None:
    """Delete all records of a compacted topic, as compaction may do if each newest record is a tombstone."""
    set_config(bootstrap, topic, {"cleanup.policy": "delete"})
    delete_records(bootstrap, topic, partitions)
    set_config(bootstrap, topic, {"cleanup.policy": "compact"})


def delete_records(bootstrap: str, topic: str, partitions: int) -> None:
    """Delete all records of a topic, as retention does."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    ends = [TopicPartition(topic, partition, OFFSET_END) for partition in range(partitions)]
    for done in admin.delete_records(ends, request_timeout=HANG_S).values():
        done.result(HANG_S)
