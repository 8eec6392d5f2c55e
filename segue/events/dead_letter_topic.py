"""Reads dead letters from their topic, selects them, and prepares them to be sent again."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from confluent_kafka import Message

from schemas import times
from schemas.errors import BadEvent
from schemas.input_events import UserErased
from schemas.inputs.decode import decode_signup, encode_signup
from schemas.inputs.forms.event_form import NoEvent
from schemas.outputs import headers
from schemas.outputs.headers import Headers
from schemas.topics import MAX_INPUT_BYTES
from segue.config.registry_extra import unframe_of
from segue.config.settings import Settings
from segue.connect.read_topics import CommittedReader, Ends
from segue.events.send_events import Outgoing
from streamer.kafka.kafka_reader import headers_of

_POLL_S = 0.2
_CUT = (headers.VALUE_BYTES, headers.KEY_BYTES)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An input that could not be applied.

    Attributes:
        place: partition:offset of the letter in the dead letters' topic.
        reason: why the input could not be applied.
        topic: the input's topic.
        partition: the input's partition.
        offset: the input's offset.
        written_at: the time of the input's record.
        refused_at: the time of the letter's record.
        key: the input's key.
        value: the input's value.
        headers: the input's own headers.
        retry_of: the place of an earlier letter, if this input was that letter and was sent again.
        cut: whether key or value were cut to fit into a dead letter.
    """

    place: str
    reason: str
    topic: str
    partition: int
    offset: int
    written_at: datetime
    refused_at: datetime
    key: bytes | None
    value: bytes | None
    headers: Headers
    retry_of: str | None
    cut: bool

    def as_json(self) -> dict[str, object]:
        """Return the fields for programs. A key or value that is not UTF-8 has a name with ``_base64``."""
        return {
            "place": self.place,
            "reason": self.reason,
            "topic": self.topic,
            "partition": self.partition,
            "offset": self.offset,
            "written_at": times.text(self.written_at),
            "refused_at": times.text(self.refused_at),
            "retry_of": self.retry_of,
            "cut": self.cut,
            **_text_or_base64("key", self.key),
            **_text_or_base64("value", self.value),
        }


@dataclass(frozen=True, slots=True)
class Selection:
    """Criteria for dead letters. A criterion that is None or empty accepts every letter.

    Attributes:
        places: places of letters.
        reason: a part of the reason; upper and lower case are the same.
        topic: the input's topic, in full.
        since: the earliest time of refusal.
    """

    places: frozenset[str] = frozenset()
    reason: str | None = None
    topic: str | None = None
    since: datetime | None = None

    def takes(self, letter: DeadLetter) -> bool:
        """Return whether a letter meets all criteria."""
        return (
            (not self.places or letter.place in self.places)
            and (self.reason is None or self.reason.casefold() in letter.reason.casefold())
            and (self.topic is None or self.topic == letter.topic)
            and (self.since is None or letter.refused_at >= self.since)
        )


def letter_of(message: Message) -> DeadLetter | None:
    """Read a record of the dead letters' topic; return None if Segue did not write the record."""
    all_headers = headers_of(message)
    by_name = dict(all_headers)
    try:
        return DeadLetter(
            place=f"{message.partition()}:{message.offset()}",
            reason=by_name[headers.REASON].decode(),
            topic=by_name[headers.TOPIC].decode(),
            partition=int(by_name[headers.PARTITION]),
            offset=int(by_name[headers.OFFSET]),
            written_at=times.from_millis(int(by_name[headers.TIMESTAMP_MS])),
            refused_at=times.from_millis(message.timestamp()[1]),
            key=message.key(),
            value=message.value(),
            headers=tuple(
                (name, value) for name, value in all_headers if name not in headers.DEAD_LETTER_HEADERS
            ),
            retry_of=_retry_of(by_name, message.topic()),
            cut=any(name in by_name for name in _CUT),
        )
    except (KeyError, ValueError):
        return None


def _retry_of(by_name: dict[str, bytes], topic: str | None) -> str | None:
    """Return the place in the header; None if there is no such header, or it names another topic."""
    of_topic, _, place = by_name.get(headers.RETRY_OF, b"").decode(errors="replace").partition(" ")
    return place if place and of_topic == topic else None


class DeadLetters:
    """The letters in the topic at the first iteration. Later letters are not read.

    Iteration raises BadTopics if the topic does not exist, and Unreachable if Kafka does not answer.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ends: Ends | None = None

    def __iter__(self) -> Iterator[DeadLetter]:
        """Yield each letter, by partition in the order of offsets; every iteration yields the same."""
        reader = CommittedReader(
            self._settings.kafka_client, [self._settings.topics.dead_letters], from_beginning=True
        )
        try:
            self._ends = ends = self._ends or reader.ends()
            while not reader.has_reached(ends):
                message = reader.poll(_POLL_S)
                if message is not None and _is_before(message, ends):
                    letter = letter_of(message)
                    if letter is not None:
                        yield letter
        finally:
            reader.close()


def _is_before(message: Message, ends: Ends) -> bool:
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    assert topic is not None
    assert partition is not None
    assert offset is not None
    return offset < ends[topic, partition]


def why_unsendable(letter: DeadLetter, inputs: tuple[str, ...]) -> str | None:
    """Return why a letter cannot be sent again; None if it can.

    Args:
        letter: the letter.
        inputs: the input topics.
    """
    if letter.cut:
        return "key or value was cut to fit into a dead letter: have its producer send it again"
    if letter.topic not in inputs:
        return f"it came from {letter.topic}, and the inputs are {', '.join(inputs)}"
    size = len(letter.value or b"")
    if size > MAX_INPUT_BYTES:
        return f"it has {size:,} bytes, and no worker takes more than {MAX_INPUT_BYTES:,}"
    return None


def outgoing(letter: DeadLetter, settings: Settings) -> Outgoing:
    """Return the record to send: the input's key, value and headers, and a header that names the letter.

    An erasure gets an explicit time. An erasure without a time counts from the time of its record. The new
    record has a new time, so the retry would erase later facts, too.
    """
    topics = settings.topics
    value = letter.value
    if letter.topic == topics.signups:
        try:
            event = decode_signup(
                letter.key,
                value,
                letter.written_at,
                check_key=False,
                form=settings.forms.signups,
                unframe=unframe_of(settings),
            )
        except (BadEvent, NoEvent):
            event = None
        if isinstance(event, UserErased):
            value = encode_signup(event)[1]
    kept = tuple(header for header in letter.headers if header[0] != headers.RETRY_OF)
    retry_of = (headers.RETRY_OF, f"{topics.dead_letters} {letter.place}".encode())
    return Outgoing(letter.topic, letter.key, value, f"dead letter {letter.place}", (*kept, retry_of))


@dataclass(frozen=True, slots=True)
class Found:
    """The letters that a selection accepts.

    Attributes:
        places: the places of the accepted letters.
        older: places among them whose input was sent again and refused again. A newer letter stands for the
            input.
    """

    places: frozenset[str]
    older: frozenset[str]


def find(letters: DeadLetters, selection: Selection, progress: Callable[[int], None]) -> Found:
    """Read all letters, and return the letters that the selection accepts.

    Args:
        letters: the letters.
        selection: the criteria.
        progress: called after each letter with the count of letters so far.
    """
    chosen: set[str] = set()
    older: set[str] = set()
    for number, letter in enumerate(letters, 1):
        if selection.takes(letter):
            chosen.add(letter.place)
        if letter.retry_of is not None:
            older.add(letter.retry_of)
        progress(number)
    return Found(frozenset(chosen), frozenset(chosen & older))


def _text_or_base64(name: str, data: bytes | None) -> dict[str, str | None]:
    if data is None:
        return {name: None}
    try:
        return {name: data.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(data).decode()}
