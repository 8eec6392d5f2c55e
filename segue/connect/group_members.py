"""Counts the members of a consumer group."""

from __future__ import annotations

from confluent_kafka import KafkaError, KafkaException

from streamer.kafka.kafka_admin import Admin
from streamer.kafka.kafka_client import error_of, unreachable


def members_of(client: dict[str, str], group: str, deadline_s: float) -> int:
    """Return how many members a group has; 0 if the group does not exist.

    Args:
        client: librdkafka's options of a client.
        group: the group's id.
        deadline_s: seconds that the request may take.

    Raises:
        Unreachable: Kafka does not answer in time, or refuses.
    """
    admin = Admin(client, deadline_s)
    task = f"describe the group {group}"
    try:
        described = admin.asked(
            lambda: admin.kafka.describe_consumer_groups([group], request_timeout=deadline_s)[group], task
        )
    except KafkaException as error:
        if error_of(error).code() == KafkaError.GROUP_ID_NOT_FOUND:
            return 0
        raise unreachable(client, task, admin.reports, error_of(error)) from None
    return len(described.members)
