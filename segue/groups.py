"""Who is in a consumer group."""

from __future__ import annotations

import time

from confluent_kafka import KafkaError, KafkaException

from streamer.kafka_admin import Admin
from streamer.kafka_client import error_of, unreachable

_RETRY_S = 0.1
# A group's coordinator is being chosen, or reads what it needs: that passes.
_NOT_YET = (
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
)


def members_of(client: dict[str, str], group: str, deadline_s: float) -> int:
    """How many members a group has; 0 where there is no such group.

    Raises:
        Unreachable: Kafka does not answer in time, or refuses.
    """
    admin = Admin(client, deadline_s)
    task = f"describe the group {group}"
    end_s = time.monotonic() + deadline_s
    while True:
        asked = admin.kafka.describe_consumer_groups([group], request_timeout=deadline_s)
        try:
            return len(admin.answer(asked[group], task).members)
        except KafkaException as error:
            told = error_of(error)
            if told.code() == KafkaError.GROUP_ID_NOT_FOUND:
                return 0
            if told.code() not in _NOT_YET or time.monotonic() >= end_s:
                raise unreachable(client, task, told.str()) from None
        admin.kafka.poll(_RETRY_S)
