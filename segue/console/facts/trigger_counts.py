"""What the triggers did, from the places of their ledger, and what waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime

from confluent_kafka import TopicPartition
from msgspec import Struct

from segue.config.settings import Settings
from segue.connect.group_members import members_of
from segue.connect.read_topics import CommittedReader
from segue.doctor.on_kafka import lag_of
from segue.triggers.ledger_records import PLACE_KEY, Place, read_place
from segue.triggers.service.dead_letters import standing_by_trigger
from segue.triggers.service.trigger_topics import trigger_group
from streamer.kafka.kafka_admin import Admin

_POLL_S = 0.2


class TriggerCount(Struct, frozen=True):
    """What one trigger did.

    Attributes:
        name: the trigger.
        sent: the webhooks that a receiver took.
        held_out: the users held out instead, each as often as a webhook would have been sent.
        dead_letters: the webhooks that became dead letters and still are.
        skipped: how many changes were skipped, by reason.
    """

    name: str
    sent: int
    held_out: int
    dead_letters: int
    skipped: Mapping[str, int]


class TriggerCounts(Struct, frozen=True):
    """What all triggers did.

    Attributes:
        read_at: when the ledger was read.
        processes: how many processes send webhooks now.
        changes: how many changes have an outcome.
        waiting: how many changes wait at most: transaction markers count, too.
        triggers: by trigger, by name.
    """

    read_at: datetime
    processes: int
    changes: int
    waiting: int
    triggers: tuple[TriggerCount, ...]


def read_trigger_counts(
    settings: Settings, admin: Admin, lanes: int, read_at: datetime, deadline_s: float
) -> TriggerCounts | None:
    """Read what the triggers did; None if they never ran.

    Args:
        settings: name the Kafka, the topics and the group.
        admin: asks Kafka.
        lanes: how many partitions the changes have.
        read_at: the present time.
        deadline_s: how many seconds an answer may take.
    """
    topics = settings.topics
    found = admin.describe([topics.trigger_ledger, topics.trigger_dead_letters])
    if topics.trigger_ledger not in found:
        return None
    group = trigger_group(settings)
    processes = members_of(settings.kafka_client, group, deadline_s)
    where = [TopicPartition(topics.changes, lane) for lane in range(lanes)]
    waiting = sum(lag_of(admin, place) for place in admin.committed(group, where))
    standing: Counter[str] = Counter()
    if topics.trigger_dead_letters in found:
        standing = standing_by_trigger(settings)
    return trigger_counts(_places(settings), standing, processes, waiting, read_at)


def trigger_counts(
    places: Collection[Place],
    dead_letters: Mapping[str, int],
    processes: int,
    waiting: int,
    read_at: datetime,
) -> TriggerCounts:
    """Add up the counts of all partitions. Pure.

    Args:
        places: the places in the ledger, one for each partition.
        dead_letters: how many dead letters stand, by trigger.
        processes: how many processes send webhooks now.
        waiting: how many changes wait.
        read_at: when they were read.
    """
    by_trigger: dict[str, Counter[str]] = {}
    for place in places:
        for name, counts in place.counts.items():
            by_trigger.setdefault(name, Counter()).update(counts)
    for name in dead_letters:
        by_trigger.setdefault(name, Counter())
    return TriggerCounts(
        read_at,
        processes,
        sum(place.changes for place in places),
        waiting,
        tuple(_count(name, counts, dead_letters.get(name, 0)) for name, counts in sorted(by_trigger.items())),
    )


def _count(name: str, counts: Mapping[str, int], dead_letters: int) -> TriggerCount:
    skipped = {
        outcome.removeprefix("skipped: "): count
        for outcome, count in sorted(counts.items())
        if outcome.startswith("skipped: ")
    }
    return TriggerCount(name, counts.get("sent", 0), counts.get("held_out", 0), dead_letters, skipped)


def _places(settings: Settings) -> tuple[Place, ...]:
    """Read the newest place of each partition of the ledger."""
    reader = CommittedReader(settings.kafka_client, [settings.topics.trigger_ledger], from_beginning=True)
    found: dict[int, Place] = {}
    try:
        ends = reader.ends()
        while not reader.has_reached(ends):
            message = reader.poll(_POLL_S)
            if message is not None and message.key() == PLACE_KEY and (value := message.value()):
                partition = message.partition()
                assert partition is not None
                found[partition] = read_place(_bytes(value))
    finally:
        reader.close()
    return tuple(found.values())


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value
