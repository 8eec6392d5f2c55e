"""Refuses a group of Segue's own programs: a reader in it would take partitions away from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from schemas.errors import BadSetting
from schemas.topics import Topics
from segue.connect.read_topics import READERS_GROUP
from streamer.kafka.kafka_admin import Admin
from streamer.kafka.kafka_client import check_may_read, error_of, unreachable

_READS, _STATES_DUE = "reads", "states"
"""A subscriber's notes, each before the topic's id. With the second, the states are not handed out yet; the
offset is where their changes begin. Versions before wrote no id.
"""

_TRIGGERS = "this is the group of `segue triggers run`"
_JOIN = "this is a group of `segue join`"


def note_of(topic_id: str, *, states_due: bool) -> str:
    """Return the metadata of an offset that a subscriber commits.

    Kafka may keep a group's offset for a topic of the same name that is made anew, and a reader that was
    running meanwhile commits one.
    """
    return f"{_STATES_DUE if states_due else _READS} {topic_id}"


def read_note(metadata: str | None) -> tuple[bool, str]:
    """Return whether the states are due, and the topic's id; no id if the offset does not name it."""
    what, _, topic_id = (metadata or "").partition(" ")
    return what == _STATES_DUE, topic_id


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
        f"{workers_group}-flow": "this is the group of `segue flow`",
        **{f"{workers_group}-join{table}": _JOIN for table in ("", "-orders", "-items")},
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
    """Return whether one of Segue's own programs committed this offset, and no subscriber."""
    return (at.metadata or "").partition(" ")[0] not in {"", _READS, _STATES_DUE}


def _refused(group: str, reason: str) -> BadSetting:
    return BadSetting("group", group, f"{reason}: name another")
