"""Checks of the triggers, if they ever ran: their group and its lag, and their dead letters."""

from __future__ import annotations

from confluent_kafka import KafkaException, TopicPartition

from schemas.counted import counted
from schemas.errors import SegueError
from segue.config.settings import Settings
from segue.connect.group_members import members_of
from segue.doctor.check import OK, WARN, Check
from segue.doctor.on_kafka import DEADLINE_S, MANY_EVENTS, failed, kept, lag_of
from segue.triggers.service.trigger_topics import trigger_group
from streamer.kafka.kafka_admin import Admin


def check_triggers(settings: Settings, lanes: int) -> list[Check]:
    """Return the checks of the triggers; none if they have no ledger.

    Args:
        settings: name the Kafka, the topics and the group.
        lanes: how many partitions the changes have.
    """
    topics = settings.topics
    try:
        admin = Admin(settings.kafka_client, DEADLINE_S)
        found = admin.describe([topics.trigger_ledger, topics.trigger_dead_letters])
        if topics.trigger_ledger not in found:
            return []
        checks = [_group(settings, admin, lanes)]
        if topics.trigger_dead_letters in found:
            checks.append(_dead_letters(admin, topics.trigger_dead_letters))
    except (SegueError, KafkaException) as error:
        return [failed("triggers", error)]
    return checks


def _group(settings: Settings, admin: Admin, lanes: int) -> Check:
    """Say how far the group is behind: the webhooks that wait are of these changes."""
    group = trigger_group(settings)
    # The members first: on a new broker librdkafka crashes if a group's offsets are asked for before its
    # coordinator is there, and this request waits for the coordinator.
    members = members_of(settings.kafka_client, group, DEADLINE_S)
    where = [TopicPartition(settings.topics.changes, lane) for lane in range(lanes)]
    total = sum(lag_of(admin, place) for place in admin.committed(group, where))
    processes = "1 process" if members == 1 else f"{members} processes"
    text = f"{group} has {processes}; at most {counted(total, 'change')} behind, transaction markers included"
    if not members:
        return Check("triggers", WARN, text, "start them: segue triggers run FILE")
    if total > MANY_EVENTS:
        fix = "look for `receiver fails` in the log of segue triggers run; else start it once more"
        return Check("triggers", WARN, text, fix)
    return Check("triggers", OK, text)


def _dead_letters(admin: Admin, topic: str) -> Check:
    name, count = "trigger dead letters", kept(admin, topic)
    if not count:
        return Check(name, OK, f"none on {topic}")
    text = f"at most {count:,} on {topic}, removed ones and transaction markers included"
    return Check(name, WARN, text, "segue triggers retry FILE sends them again")
