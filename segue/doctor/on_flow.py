"""Checks of the counts of the moves, if `segue flow` ever ran."""

from __future__ import annotations

from confluent_kafka import KafkaException

from schemas.errors import SegueError
from segue.config.settings import Settings
from segue.doctor.change_readers import Reader, check_reader
from segue.doctor.check import Check
from segue.doctor.on_kafka import DEADLINE_S, failed
from segue.flow.flow_topics import flow_group
from streamer.kafka.kafka_admin import Admin


def check_flow(settings: Settings, lanes: int) -> list[Check]:
    """Return the check of `segue flow`; none if its tables do not exist.

    Args:
        settings: name the Kafka, the topics and the group.
        lanes: how many partitions the changes have.
    """
    try:
        admin = Admin(settings.kafka_client, DEADLINE_S)
        if not admin.describe([settings.topics.flow_hours]):
            return []
        reader = Reader(
            "flow",
            flow_group(settings),
            "the console's moves stand still; start it: segue flow",
            "start segue flow once more",
        )
        return [check_reader(settings, admin, lanes, reader)]
    except (SegueError, KafkaException) as error:
        return [failed("flow", error)]
