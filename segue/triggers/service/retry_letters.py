"""Sends the webhooks that became dead letters again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct

from schemas.outputs.headers import REASON
from schemas.outputs.wire import decode_change
from segue.config.settings import Settings
from segue.connect.read_topics import CommittedReader
from segue.triggers.sending.webhook_body import BadBody
from segue.triggers.service.run_triggers import poster_of, receivers_of, trigger_group
from segue.triggers.service.trigger_topics import prepare_trigger_topics
from segue.triggers.trigger_file import Triggers
from segue.triggers.trigger_lane import TRIGGER
from streamer.interfaces.lane_interfaces import OutRecord
from streamer.kafka.kafka_client import Deadlines
from streamer.kafka.kafka_reader import headers_of
from streamer.kafka.kafka_writer import Writer

_POLL_S = 0.2


class Letter(Struct, frozen=True):
    """A webhook that no receiver took."""

    webhook_id: str
    trigger: str
    reason: str
    partition: int
    value: bytes


class Retried(Struct):
    """What came of a retry: how many were sent, and why others were not, by webhook."""

    sent: int
    not_sent: dict[str, str]


def read_letters(settings: Settings) -> list[Letter]:
    """Return the dead letters that stand, the oldest of a partition first."""
    topic = settings.topics.trigger_dead_letters
    reader = CommittedReader(settings.kafka_client, [topic], from_beginning=True)
    standing: dict[str, Letter] = {}
    try:
        ends = reader.ends()
        while not reader.has_reached(ends):
            message = reader.poll(_POLL_S)
            key = None if message is None else message.key()
            if message is None or key is None:
                continue
            name, value = _text(key), message.value()
            standing.pop(name, None)  # one that failed again stands at its new place
            if value is not None:
                headers = dict(headers_of(message))
                trigger, reason = (_text(headers.get(each, b"")) for each in (TRIGGER, REASON))
                standing[name] = Letter(name, trigger, reason, message.partition() or 0, value)
    finally:
        reader.close()
    return list(standing.values())


def retry_letters(
    settings: Settings, file: Path, triggers: Triggers, only: str | None, say: Callable[[str], None]
) -> Retried:
    """Send dead letters again, each once, with the same id as before; those that are taken are removed.

    Args:
        settings: name the Kafka and the topics.
        file: the file of triggers, for messages.
        triggers: what it declares: where the webhooks go now.
        only: the trigger whose letters are sent; None for all.
        say: shows a sentence to people.
    """
    receivers = receivers_of(file, triggers, settings.topics)
    prepare_trigger_topics(settings, say)
    writer = Writer(
        f"{trigger_group(settings)}-retry",
        settings.kafka_client,
        settings.partitioner,
        Deadlines(),
        lambda: False,
    )
    # Two retries at once would send every webhook twice: the second one ends the first.
    writer.fence()
    posts = {name: poster_of(receiver)[1] for name, receiver in receivers.items()}
    gaps_s: Mapping[str, float] = {each.name: 1.0 / each.rate for each in triggers.triggers}
    done = Retried(0, {})
    try:
        for letter in read_letters(settings):
            if only is not None and letter.trigger != only:
                continue
            if letter.trigger not in receivers:
                done.not_sent[letter.webhook_id] = f"{file} has no trigger {letter.trigger}"
                continue
            try:
                message = receivers[letter.trigger].message(decode_change(letter.value))
            except BadBody as error:
                done.not_sent[letter.webhook_id] = str(error)
                continue
            answer = posts[letter.trigger](message)
            if not answer.taken:
                done.not_sent[letter.webhook_id] = answer.reason
                continue
            topic = settings.topics.trigger_dead_letters
            gone = OutRecord(topic, letter.webhook_id.encode(), None, (), letter.partition)
            writer.commit([gone], [], None)
            done.sent += 1
            time.sleep(gaps_s[letter.trigger])
    finally:
        writer.give_up()
    return done


def _text(data: bytes) -> str:
    return data.decode(errors="replace")
