"""The dead letters of the triggers, read from Kafka."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import closing
from sys import intern

from confluent_kafka import Message
from msgspec import Struct

from schemas.outputs.headers import REASON
from segue.config.settings import Settings
from segue.connect.read_topics import CommittedReader
from segue.triggers.lane_transaction import TRIGGER
from streamer.kafka.kafka_reader import headers_of

_POLL_S = 0.2
_FRESH_S = 1.0


class Letter(Struct, frozen=True):
    """A webhook that no receiver took."""

    webhook_id: str
    trigger: str
    reason: str
    partition: int
    value: bytes


class DeadLetters:
    """The dead letters that stand, of all partitions.

    Args:
        settings: name the Kafka and the topics.

    Raises:
        BadTopics: there is no topic of dead letters.
        Unreachable: Kafka does not answer.
    """

    def __init__(self, settings: Settings) -> None:
        self._reader = _reader_of(settings)
        self._standing: dict[str, Letter] = {}
        self._read_s = float("-inf")

    def read(self) -> dict[str, Letter]:
        """Return the dead letters that stand now, by webhook, the oldest of a partition first.

        Raises:
            BadTopics: the topic was deleted, or this login may not read it.
            Unreachable: Kafka does not answer.
        """
        began_s = time.monotonic()
        ends = self._reader.ends()
        while not self._reader.has_reached(ends):
            self._take(self._reader.poll(_POLL_S))
        self._read_s = began_s
        return dict(self._standing)

    def stands(self, webhook_id: str) -> bool:
        """Whether a dead letter stands; if it was removed within the last second, it may still seem to.

        To read up to the ends takes some tenths of a second, far too long for each of thousands. Errors as in
        :meth:`read`.
        """
        if time.monotonic() - self._read_s >= _FRESH_S:
            self.read()
        while (message := self._reader.poll(0.0)) is not None:
            self._take(message)
        return webhook_id in self._standing

    def _take(self, message: Message | None) -> None:
        if message is None or (key := message.key()) is None:
            return
        name, value = _text(key), message.value()
        self._standing.pop(name, None)  # one that failed again stands at its new place
        if value is not None:
            trigger, reason = _header(message, TRIGGER), _header(message, REASON)
            self._standing[name] = Letter(name, trigger, reason, message.partition() or 0, value)

    def close(self) -> None:
        """Close the connection."""
        self._reader.close()


def standing_by_trigger(settings: Settings) -> Counter[str]:
    """Return how many dead letters stand, by trigger. Only their ids are held in memory.

    Args:
        settings: name the Kafka and the topics.

    Raises:
        BadTopics: there is no topic of dead letters.
        Unreachable: Kafka does not answer.
    """
    triggers: dict[str | bytes, str] = {}
    with closing(_reader_of(settings)) as reader:
        ends = reader.ends()
        while not reader.has_reached(ends):
            message = reader.poll(_POLL_S)
            if message is None or (key := message.key()) is None:
                continue
            if message.value() is None:
                triggers.pop(key, None)
            else:
                triggers[key] = intern(_header(message, TRIGGER))
    return Counter(triggers.values())


def _reader_of(settings: Settings) -> CommittedReader:
    return CommittedReader(settings.kafka_client, [settings.topics.trigger_dead_letters], from_beginning=True)


def _header(message: Message, name: str) -> str:
    return _text(dict(headers_of(message)).get(name, b""))


def _text(data: str | bytes) -> str:
    return data if isinstance(data, str) else data.decode(errors="replace")
