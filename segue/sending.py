"""Sends events to the inputs: each acknowledged by all replicas, none twice, none silently lost."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.errors import SegueError
from schemas.headers import Headers
from schemas.partition import Partitioner, librdkafka_name
from streamer.kafka_client import Reports, error_of, make_client, unreachable

# A record is up to 1 MB; larger ones are sent too, where the broker takes them, and become dead letters.
_MAX_MESSAGE_BYTES = 5 * 1024 * 1024
_DELIVERY_TIMEOUT_S = 30.0
_WAIT_S = 0.1
_TOO_LARGE = (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE)
_NO_ANSWER = (
    KafkaError._MSG_TIMED_OUT,  # noqa: SLF001 - librdkafka's own codes begin so
    KafkaError._TRANSPORT,  # noqa: SLF001
    KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An event on its way. ``origin`` says in messages where it comes from: a line, a row."""

    topic: str
    key: bytes | None
    value: bytes | None
    origin: str
    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """What was delivered: how many events by topic, in how many seconds."""

    by_topic: Mapping[str, int]
    seconds: float

    @property
    def events(self) -> int:
        return sum(self.by_topic.values())

    @property
    def per_second(self) -> float:
        return self.events / self.seconds if self.seconds > 0 else 0.0


class NotDelivered(SegueError):
    """Kafka answers, and does not take an event."""

    exit_code = 6


Delivered = Callable[[Outgoing, Message], None]


class Sender:
    """A producer that looks at every delivery.

    Args:
        client: librdkafka's settings of a client.
        partitioner: how a user's partition is chosen.
        rate: at most so many events a second; None as fast as Kafka takes them.
        delivered: told of each event that Kafka has, with the record that it became.
    """

    def __init__(
        self,
        client: Mapping[str, str],
        partitioner: Partitioner,
        *,
        rate: float | None = None,
        delivered: Delivered = lambda _event, _message: None,
    ) -> None:
        self._client = client
        self._reports = Reports()
        config = {
            **client,
            "acks": "all",
            "enable.idempotence": True,
            "partitioner": librdkafka_name(partitioner),
            "linger.ms": 5,
            "message.max.bytes": _MAX_MESSAGE_BYTES,
            "message.timeout.ms": int(_DELIVERY_TIMEOUT_S * 1000),
        }
        self._producer = make_client(Producer, config, self._reports)
        self._rate = rate
        self._told = delivered
        self._by_topic: Counter[str] = Counter()
        self._failure: SegueError | None = None

    def send(self, events: Iterable[Outgoing], progress: Callable[[int], None] = lambda _: None) -> Sent:
        """Send all, and return when Kafka has all.

        Args:
            progress: told how many have been handed over so far.

        Raises:
            NotDelivered: Kafka refused one; nothing more was sent, and the message says how many it has.
            Unreachable: Kafka did not take one in time.
        """
        began = time.monotonic()
        try:
            for number, event in enumerate(events):
                if self._rate is not None:
                    self._wait_until(began + number / self._rate)
                self._hand_over(event)
                progress(number + 1)
        except BaseException:
            # What was handed over is on its way: how much of it arrived is counted, too.
            self._flush()
            raise
        self._flush()
        self._check()
        return Sent(dict(self._by_topic), time.monotonic() - began)

    @property
    def count(self) -> int:
        """How many events Kafka has acknowledged so far."""
        return self._by_topic.total()

    def _wait_until(self, due: float) -> None:
        while (left := due - time.monotonic()) > 0:
            self._producer.poll(left)
            self._check()

    def _hand_over(self, event: Outgoing) -> None:
        while True:
            try:
                self._producer.produce(
                    event.topic,
                    event.value,
                    event.key,
                    on_delivery=partial(self._delivered, event),
                    headers=list(event.headers),
                )
                break
            except BufferError:
                self._producer.poll(_WAIT_S)
                self._check()
            except KafkaException as error:
                self._fail(event, error_of(error))
                break
        self._producer.poll(0)
        self._check()

    def _flush(self) -> None:
        """Wait for every delivery; each has its deadline, and ctrl-C is heard in between."""
        while self._producer.flush(_WAIT_S):
            pass

    def _delivered(self, event: Outgoing, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._fail(event, error)
            return
        self._by_topic[event.topic] += 1
        self._told(event, message)

    def _fail(self, event: Outgoing, error: KafkaError) -> None:
        if self._failure is not None:
            return
        if error.code() in _NO_ANSWER:
            task = f"take the event of {event.origin} within {_DELIVERY_TIMEOUT_S:.0f} s"
            self._failure = unreachable(self._client, task, self._reports.last)
            return
        if error.code() in _TOO_LARGE:
            size = len(event.value or b"")
            self._failure = NotDelivered(
                f"Kafka refuses the event of {event.origin}: {size:,} bytes are more than {event.topic} takes"
            )
            return
        self._failure = NotDelivered(f"Kafka refuses the event of {event.origin}: {error.str()}")

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure
