"""Checks of the triggers, if they ever ran: their group and its lag, and their dead letters."""

from __future__ import annotations

from confluent_kafka import KafkaException

from schemas.errors import SegueError
from segue.config.settings import Settings
from segue.doctor.change_readers import Reader, check_reader
from segue.doctor.check import OK, WARN, Check
from segue.doctor.on_kafka import DEADLINE_S, failed, kept
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
        reader = Reader(
            "triggers",
            trigger_group(settings),
            "start them: segue triggers run FILE",
            "look for `receiver fails` in the log of segue triggers run; else start it once more",
        )
        checks = [check_reader(settings, admin, lanes, reader)]
        if topics.trigger_dead_letters in found:
            checks.append(_dead_letters(admin, topics.trigger_dead_letters))
    except (SegueError, KafkaException) as error:
        return [failed("triggers", error)]
    return checks


def _dead_letters(admin: Admin, topic: str) -> Check:
    name, count = "trigger dead letters", kept(admin, topic)
    if not count:
        return Check(name, OK, f"none on {topic}")
    text = f"at most {count:,} on {topic}, removed ones and transaction markers included"
    return Check(name, WARN, text, "segue triggers retry FILE sends them again")
