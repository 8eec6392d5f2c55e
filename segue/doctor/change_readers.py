"""The check of a group that reads the changes: of the triggers, or of the flow."""

from __future__ import annotations

from confluent_kafka import TopicPartition
from msgspec import Struct

from schemas.counted import counted
from segue.config.settings import Settings
from segue.connect.group_members import members_of
from segue.doctor.check import OK, WARN, Check
from segue.doctor.on_kafka import DEADLINE_S, MANY_EVENTS, lag_of
from streamer.kafka.kafka_admin import Admin


class Reader(Struct, frozen=True):
    """A group of Segue that reads the changes.

    Attributes:
        name: the check's name.
        group: the consumer group.
        no_process: what to do if none of its processes runs.
        behind: what to do if it is far behind.
    """

    name: str
    group: str
    no_process: str
    behind: str


def check_reader(settings: Settings, admin: Admin, lanes: int, reader: Reader) -> Check:
    """Say how many processes a group has, and how far it is behind.

    Args:
        settings: name the Kafka and the topics.
        admin: asks Kafka.
        lanes: how many partitions the changes have.
        reader: the group.
    """
    # The members first: on a new broker librdkafka crashes if a group's offsets are asked for before its
    # coordinator is there, and this request waits for the coordinator.
    members = members_of(settings.kafka_client, reader.group, DEADLINE_S)
    where = [TopicPartition(settings.topics.changes, lane) for lane in range(lanes)]
    total = sum(lag_of(admin, place) for place in admin.committed(reader.group, where))
    processes = "1 process" if members == 1 else f"{members} processes"
    behind = f"at most {counted(total, 'change')} behind, transaction markers included"
    text = f"{reader.group} has {processes}; {behind}"
    if not members:
        return Check(reader.name, WARN, text, reader.no_process)
    if total > MANY_EVENTS:
        return Check(reader.name, WARN, text, reader.behind)
    return Check(reader.name, OK, text)
