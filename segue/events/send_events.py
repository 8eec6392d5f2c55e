"""Sends events to the input topics.

All replicas acknowledge each event. No event is written twice, and none is lost silently.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.errors import SegueError
from schemas.outputs.headers import Headers
from schemas.partitioner import Partitioner, librdkafka_name
from segue.connect.wait_for_servers import Wait, patience_s
from streamer.kafka.kafka_client import Reports, address, error_of, make_client, unreachable

# A worker takes up to 1 MB. Larger events are sent, too, if the broker takes them. They become dead letters.
_MAX_MESSAGE_BYTES = 5 * 1024 * 1024
_WAIT_S = 0.1
# So many events wait in the producer for each second of patience: an event's deadline includes this wait.
_QUEUED_A_SECOND = 300
# After a failure or ctrl-C, the sender waits for events on their way. It stops after this time without a
# delivery.
_SETTLE_S = 3.0
_TOO_LARGE = (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE)
_NO_ANSWER = (
    KafkaError._MSG_TIMED_OUT,  # noqa: SLF001 - the names of librdkafka's own codes begin with _
    KafkaError._TRANSPORT,  # noqa: SLF001
    KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An event to send. ``origin`` names its source in messages, such as a line or a row."""

    topic: str
    key: bytes | None
    value: bytes | None
    origin: str
    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """The counts of a delivery: events by topic, and seconds."""

    by_topic: Mapping[str, int]
    seconds: float

    @property
    def events(self) -> int:
        return sum(self.by_topic.values())

    @property
    def per_second(self) -> float:
        return self.events / self.seconds if self.seconds > 0 else 0.0


class NotDelivered(SegueError):
    """Kafka answers, but refuses an event."""

    exit_code = 6


Delivered = Callable[[Outgoing, Message], None]


class Sender:
    """A producer that checks every delivery. It waits for Kafka, and reports the wait to the user.

    Args:
        client: librdkafka's options of a client.
        partitioner: how a user's partition is chosen.
        rate: the most events a second; None means as fast as Kafka takes them.
        delivered: called for each delivered event, with the event and its record.
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
        self._patience_s = patience_s()
        config = {
            "queue.buffering.max.messages": int(self._patience_s * _QUEUED_A_SECOND),
            **client,
            "acks": "all",
            "enable.idempotence": True,
            "partitioner": librdkafka_name(partitioner),
            "linger.ms": 5,
            "message.max.bytes": _MAX_MESSAGE_BYTES,
            "message.timeout.ms": int(self._patience_s * 1000),
        }
        self._producer = make_client(Producer, config, self._reports)
        self._rate = rate
        self._on_delivery = delivered
        self._wait = Wait(f"Kafka at {address(client)}")
        self._on_their_way = 0
        self._by_topic: Counter[str] = Counter()
        self._last: Outgoing | None = None
        self._failure: SegueError | None = None

    def send(self, events: Iterable[Outgoing], progress: Callable[[int], None] = lambda _: None) -> Sent:
        """Send all events, and return when Kafka has acknowledged all.

        Args:
            events: the events, in order.
            progress: called with the count of events that the producer has taken so far.

        Returns:
            How many events were delivered, and in how many seconds.

        Raises:
            NotDelivered: Kafka refused an event. No further events were sent.
            Unreachable: Kafka did not take an event in time.
        """
        began = time.monotonic()
        try:
            for number, event in enumerate(events):
                if self._rate is not None:
                    self._wait_until(began + number / self._rate)
                self._hand_over(event)
                progress(number + 1)
        except BaseException:
            # Some events are still on their way. Count the events that arrive.
            self._settle()
            raise
        self._flush()
        self._look()
        return Sent(dict(self._by_topic), time.monotonic() - began)

    @property
    def count(self) -> int:
        """How many events Kafka has acknowledged so far."""
        return self._by_topic.total()

    @property
    def last(self) -> Outgoing | None:
        """The last event, if Kafka has acknowledged it and all events before it; else None."""
        return None if self._failure is not None or len(self._producer) else self._last

    def _wait_until(self, due: float) -> None:
        while (left := due - time.monotonic()) > 0:
            self._producer.poll(min(left, _WAIT_S))
            self._look()

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
                self._on_their_way += 1
                self._last = event
                break
            except BufferError:
                self._producer.poll(_WAIT_S)
                self._look()
            except KafkaException as error:
                self._fail(event, error_of(error))
                break
        self._producer.poll(0)
        self._look()

    def _flush(self) -> None:
        """Wait for every delivery. Each event has its deadline, and short waits let ctrl-C through."""
        while self._producer.flush(_WAIT_S):
            self._look()

    def _settle(self) -> None:
        """Wait while events are still delivered, then drop the rest, which may never be delivered."""
        count, moved_s = self._on_their_way, time.monotonic()
        while self._producer.flush(_WAIT_S) and time.monotonic() - moved_s < _SETTLE_S:
            if self._on_their_way != count:
                count, moved_s = self._on_their_way, time.monotonic()
        self._producer.purge()

    def _look(self) -> None:
        """Report to the user if Kafka has taken no event for a while.

        Raises:
            SegueError: an event was not delivered.
        """
        if self._failure is not None:
            raise self._failure
        if self._on_their_way:
            reason = self._reports.last
            self._wait.lasts(reason and f"Kafka at {address(self._client)} takes no event ({reason})")

    def _delivered(self, event: Outgoing, error: KafkaError | None, message: Message) -> None:
        self._on_their_way -= 1
        if error is not None:
            self._fail(event, error)
            return
        self._wait.over()
        self._by_topic[event.topic] += 1
        self._on_delivery(event, message)

    def _fail(self, event: Outgoing, error: KafkaError) -> None:
        if self._failure is not None:
            return
        if error.code() in _NO_ANSWER:
            task = f"take the event of {event.origin} within {self._patience_s:.0f} s"
            self._failure = unreachable(self._client, task, self._reports)
            return
        if error.code() in _TOO_LARGE:
            size = len(event.value or b"")
            self._failure = NotDelivered(
                f"Kafka refuses the event of {event.origin}: {size:,} bytes are more than {event.topic} takes"
            )
            return
        self._failure = NotDelivered(f"Kafka refuses the event of {event.origin}: {error.str()}")
