"""Runs the triggers of a file until a signal comes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import structlog
from msgspec.structs import replace

from schemas.topics import Topics
from segue.config.settings import Settings
from segue.connect.redis_access import check_redis_rights
from segue.interruption import normal_end
from segue.lanes.lane_workers import GroupMember
from segue.show.terminal import warn
from segue.triggers.file.trigger_file import Triggers
from segue.triggers.ledger_records import Place
from segue.triggers.redis_copy import RedisCopy
from segue.triggers.sending.courier import Courier
from segue.triggers.sending.lane_post import LanePost
from segue.triggers.sending.plain_secrets import plain_secrets
from segue.triggers.sending.post_webhook import Answer, Poster
from segue.triggers.sending.webhook_body import Message, Receiver
from segue.triggers.service.trigger_topics import prepare_trigger_topics, trigger_group
from segue.triggers.service.unknown_segments import segments_of, unknown_segments
from segue.triggers.trigger_lane import TriggerLane
from streamer.interfaces.lane_interfaces import Log
from streamer.kafka.kafka_client import Deadlines
from streamer.kafka.kafka_log import KafkaLog

_SAY_EVERY_S = 60.0

log = structlog.get_logger("segue.triggers")


def receivers_of(file: Path, triggers: Triggers, topics: Topics) -> dict[str, Receiver]:
    """Return the receivers by trigger, with their secrets from the environment.

    Raises:
        BadTriggers: a variable or a template cannot be used.
    """
    return {
        each.name: Receiver(
            file,
            each,
            f"/segue/{topics.prefix}",
        )
        for each in triggers.triggers
    }


def poster_of(receiver: Receiver) -> tuple[Poster, Callable[[Message], Answer]]:
    """Return what posts to a receiver, and a function that posts one signed message."""
    trigger = receiver.trigger
    poster = Poster(trigger.concurrency, trigger.timeout.total_seconds())

    def post(message: Message) -> Answer:
        return poster.post(receiver.url, message.body, receiver.headers(message, datetime.now(UTC)))

    return poster, post


def run_triggers(
    settings: Settings, file: Path, triggers: Triggers, say: Callable[[str], None], *, from_beginning: bool
) -> None:
    """Send webhooks for the changes that come, until a signal comes; then say what came of all changes.

    Args:
        settings: name the Kafka, the topics, the group and the Redis.
        file: the file of triggers, for messages.
        triggers: what it declares.
        say: shows a sentence to people.
        from_beginning: whether a first start begins with the oldest change.

    Raises:
        SegueError: waiting does not help.
    """
    topics, group = settings.topics, trigger_group(settings)
    receivers = receivers_of(file, triggers, topics)
    prepare_trigger_topics(settings, say)
    check_redis_rights(settings)  # its policy does not matter: an evicted copy is made anew
    triggers = replace(triggers, segments=segments_of(settings))
    for sentence in (*plain_secrets(triggers), *unknown_segments(triggers)):
        warn(sentence)
    couriers = {name: Courier(each, poster_of(each)[1]) for name, each in receivers.items()}

    def open_lane(partition: int, must_close: Callable[[], bool]) -> tuple[TriggerLane, Log]:
        deadlines = Deadlines(transaction_ms=settings.transaction_timeout_ms)
        kafka = KafkaLog(
            partition,
            (topics.changes,),
            group,
            settings.kafka_client,
            settings.partitioner,
            deadlines,
            must_close,
        )
        lane = TriggerLane(
            partition,
            group,
            kafka,
            RedisCopy(settings.redis, partition, settings.redis_prefix),
            topics,
            triggers,
            LanePost(couriers),
            lambda: datetime.now(UTC),
            from_beginning=from_beginning,
            closing=must_close,
            max_batch=settings.max_batch,
        )
        return lane, kafka

    options = {
        "session.timeout.ms": settings.session_timeout_ms,
        "heartbeat.interval.ms": settings.heartbeat_interval_ms,
    }
    names = ", ".join(each.name for each in triggers.triggers)
    say(f"Triggers {names} on {topics.changes} at {settings.kafka}, until ctrl-C.")
    member = GroupMember(settings.kafka_client, group, topics.changes, options, open_lane)
    with normal_end():
        try:
            with closing(member):
                said_s, live = time.monotonic(), False
                while True:
                    member.look()
                    if not live and member.is_live():
                        live = True
                        say("Live: every change from now on counts.")
                    if time.monotonic() - said_s >= _SAY_EVERY_S:
                        said_s = time.monotonic()
                        for sentence in counts_text(member.counted()):
                            log.info("counted", so_far=sentence)
        finally:
            for sentence in counts_text(member.counted()):
                say(sentence)


def counts_text(places: Iterable[Place]) -> list[str]:
    """Return what came of all changes since the first start, a sentence a trigger."""
    changes = 0
    counts: dict[str, Counter[str]] = {}
    for place in places:
        changes += place.changes
        for name, found in place.counts.items():
            counts.setdefault(name, Counter()).update(found)
    return [
        f"{name}: of {changes:,} changes {', '.join(f'{n:,} {what}' for what, n in sorted(found.items()))}"
        for name, found in sorted(counts.items())
    ]
