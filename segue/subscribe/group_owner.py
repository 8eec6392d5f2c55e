"""Refuses a group of Segue's own programs: a reader in it would take partitions away from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from schemas.errors import BadSetting
from schemas.topics import Topics
from segue.connect.read_topics import READERS_GROUP
from streamer.kafka.kafka_admin import Admin
from streamer.kafka.kafka_client import check_may_read, error_of, unreachable

STATES_DUE = "states"
"""In a committed offset's metadata: the states are not handed out yet; the offset is where their changes
begin.
"""

_TRIGGERS = "this is the group of `segue triggers run`"


def check_group_name(group: str, workers_group: str) -> None:
    """Refuse a group that has the name of a group of Segue.

    Args:
        group: the group to read in.
        workers_group: the group of the workers, from which the other names are made.

    Raises:
        BadSetting: the group belongs to Segue.
    """
    owners = {
        workers_group: "this is the workers' group",
        f"{workers_group}-triggers": _TRIGGERS,
        f"{workers_group}-bootstrap": "this is the group of `segue bootstrap`",
        READERS_GROUP: "this is the group of Segue's own readers, such as `segue sink`",
    }
    if group in owners:
        raise _refused(group, owners[group])


def check_group_use(
    group: str, topics: Topics, partitions: int, admin: Admin, client: Mapping[str, str], deadline_s: float
) -> None:
    """Refuse a group in which workers or triggers read, whatever its name.

    Workers are known by the partitions of the inputs that their members have. Workers and triggers are known
    by the note that they commit with each offset.

    Args:
        group: the group to read in.
        topics: the names of the topics.
        partitions: how many partitions each of them has.
        admin: asks Kafka.
        client: librdkafka's settings of a client, for messages.
        deadline_s: seconds that each request may take.

    Raises:
        BadSetting: the group belongs to Segue.
        LoginRefused: this login may not read in the group.
        Unreachable: Kafka does not answer.
    """
    task = f"describe the group {group}"
    try:
        places = [*_assigned(group, admin, deadline_s), *_noted(group, topics, partitions, admin)]
    except KafkaException as error:
        check_may_read(error_of(error), client, topics.changes, group)
        raise unreachable(client, task, admin.reports, error_of(error)) from None
    read = {at.topic for at in places}
    for topic in _inputs(topics):
        if topic in read:
            raise _refused(group, f"this group reads {topic}, as the workers do")
    if any(at.topic == topics.changes and _has_note(at) for at in places):
        raise _refused(group, _TRIGGERS)


def _assigned(group: str, admin: Admin, deadline_s: float) -> Iterable[TopicPartition]:
    """Return the partitions that the group's members have now."""
    try:
        described = admin.asked(
            lambda: admin.kafka.describe_consumer_groups([group], request_timeout=deadline_s)[group],
            f"describe the group {group}",
        )
    except KafkaException as error:
        if error_of(error).code() == KafkaError.GROUP_ID_NOT_FOUND:
            return []
        raise
    return [
        at
        for member in described.members
        if member.assignment is not None
        for at in member.assignment.topic_partitions
    ]


def _noted(group: str, topics: Topics, partitions: int, admin: Admin) -> Iterable[TopicPartition]:
    """Return the offsets that one of Segue's own programs has committed in the group.

    The login may lack the right to the inputs, so that Kafka refuses their partitions.
    """
    read = (*_inputs(topics), topics.changes)
    asked = [TopicPartition(topic, partition) for topic in read for partition in range(partitions)]
    return [at for at in admin.offsets_of(group, asked) if at.error is None and _has_note(at)]


def _inputs(topics: Topics) -> tuple[str, ...]:
    return topics.signups, topics.orders, topics.rekeyed


def _has_note(at: TopicPartition) -> bool:
    """Return whether one of Segue's own programs committed this offset: a subscriber writes no topic's id."""
    return bool(at.metadata) and at.metadata != STATES_DUE


def _refused(group: str, reason: str) -> BadSetting:
    return BadSetting("group", group, f"{reason}: name another")
