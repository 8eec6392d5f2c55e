"""The reading side of a lane: one consumer with assigned partitions; it never subscribes.

A consumer that no longer fetches a topic (see ``silent_partitions.py``) is made anew.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing, suppress
from operator import methodcaller
from typing import Any, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.errors import Unreachable
from streamer.interfaces.lane_errors import InDoubt
from streamer.interfaces.lane_interfaces import Committed, Headers, Record
from streamer.kafka.kafka_client import (
    Config,
    Deadlines,
    Reports,
    address,
    answered,
    error_of,
    is_passing,
    log,
    make_client,
    unreachable,
)
from streamer.kafka.silent_partitions import Place, SilentPartitions, close_beside
from streamer.place.offset_note import committed

Answer = TypeVar("Answer")

_END_REACHED = KafkaError._PARTITION_EOF  # noqa: SLF001 - librdkafka's own errors have an underscore

_HEADERS_OF = methodcaller("headers")

_READING: Config = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "isolation.level": "read_committed",
    # If the log lacks the lane's offset, the lane must take itself over and must not read elsewhere.
    "auto.offset.reset": "error",
    # Transaction markers and compaction leave gaps, so the last record does not show the end.
    "enable.partition.eof": True,
}

_ASK_S = 2.0
"""How long a reader waits for the end of a silent topic."""

# The client's settings may override these.
_DEFAULTS: Config = {
    # Only a fetch that waited this long in vain reports the end of a partition. A takeover reads to an end
    # twice, so with the default of 500 ms it would spend most of its time waiting.
    "fetch.wait.max.ms": 100,
    # For each lane; the defaults are 50 MB on the wire and 64 MB in the queue.
    "fetch.max.bytes": 16 * 1024 * 1024,
    "queued.max.messages.kbytes": 16 * 1024,
    # The pause of fetching when the queue is full. In the default of 1 s, a lane empties the queue and waits.
    "fetch.queue.backoff.ms": 10,
    "fetch.error.backoff.ms": 100,
    "reconnect.backoff.max.ms": 1_000,
    "topic.metadata.propagation.max.ms": 10_000,
}


class Reader:
    """Reads one partition number of some topics, from given offsets.

    Args:
        partition: the partition number.
        group: the consumer group that keeps the offsets.
        client: librdkafka's settings of a client.
        deadlines: how long to wait for Kafka.
    """

    def __init__(self, partition: int, group: str, client: Mapping[str, str], deadlines: Deadlines) -> None:
        self._partition = partition
        self._client = client
        self._deadlines = deadlines
        self._reports = Reports()
        self._config: Config = {
            "socket.timeout.ms": int(max(deadlines.request_s, 1.0) * 1000),
            **_DEFAULTS,
            **client,
            **_READING,
            "group.id": group,
        }
        self._consumer = make_client(Consumer, self._config, self._reports)
        self._known: set[str] = set()
        self._next: dict[str, int] = {}
        self._places: dict[str, Place] = {}
        self._silence = self._new_silence()

    @property
    def group_metadata(self) -> Any:
        """The group's metadata, which a producer needs to commit offsets in a transaction."""
        return self._consumer.consumer_group_metadata()

    def committed(self, topics: Collection[str]) -> dict[str, Committed]:
        """The group's stable offsets by topic; a topic without a committed offset is absent.

        Raises:
            Unreachable: there was no answer, or an open transaction kept the offsets unstable.
        """
        partitions = [TopicPartition(topic, self._partition) for topic in topics]

        def ask() -> list[TopicPartition]:
            # With read_committed, librdkafka asks for stable offsets and retries until they are stable.
            answers = self._consumer.committed(partitions, self._deadlines.request_s)
            for at in answers:
                if at.error is not None:
                    raise KafkaException(at.error)
            return answers

        offsets = self._answered(ask, "return the group's offsets")
        return {at.topic: committed(at.offset, at.metadata) for at in offsets if at.offset >= 0}

    def read_from(self, positions: Mapping[str, int]) -> None:
        """Read these topics from these offsets on; stop reading other topics and forget their offsets.

        Raises:
            Unreachable: a topic is new to this consumer, and no broker named the topic's leaders.
        """
        for topic in positions.keys() - self._known:
            self._meet(topic)
        self._next = dict(positions)
        self._places = {topic: (topic, self._partition) for topic in positions}
        self._silence = self._new_silence()
        self._assign()

    def _assign(self) -> None:
        self._silence.begin(self._places.values())
        self._consumer.assign(
            [TopicPartition(topic, self._partition, offset) for topic, offset in self._next.items()]
        )

    def poll(self, max_records: int, timeout_s: float) -> list[Record]:
        """The next records, at most ``max_records``.

        Waits up to ``timeout_s`` for the first record or for the end of a partition. A caller may wait only
        for the end; then the result is empty.

        Raises:
            InDoubt: the log cannot be read at the lane's offset.
        """
        first = self._consumer.poll(timeout_s)
        look = self._silence.pass_time()
        records = []
        if first is not None:
            records = self._records([first, *self._consumer.consume(max_records - 1, 0)])
        if look and self._silence.are_stuck({at: self._next[topic] for topic, at in self._places.items()}):
            close_beside(self._consumer)
            self._consumer = make_client(Consumer, self._config, self._reports)
            self._assign()
        return records

    def at_end(self, ends: Mapping[str, int]) -> bool:
        """Whether reading has reached all these offsets."""
        return all(self._next[topic] >= end for topic, end in ends.items())

    def reached(self) -> Mapping[str, int]:
        """The next offset to read, by topic; at a partition's end, it lies past transaction markers."""
        return dict(self._next)

    def lag(self) -> dict[str, int]:
        """The lag in offsets by topic, from the last fetch."""
        lag = {}
        for topic, position in self._next.items():
            _, end = self._consumer.get_watermark_offsets(TopicPartition(topic, self._partition), cached=True)
            lag[topic] = max(0, end - position)
        return lag

    def unreachable(self, task: str) -> Unreachable:
        """The error for a Kafka that did not do ``task`` while this reader read."""
        return unreachable(self._client, task, self._reports)

    def close(self) -> None:
        """Close the connections without waiting for the broker."""
        self._consumer.close()

    def _new_silence(self) -> SilentPartitions:
        return SilentPartitions(self._end_of, self._deadlines.silence_s, on_stuck=_say_stuck)

    def _end_of(self, topic: str, partition: int) -> int:
        at = TopicPartition(topic, partition)
        with suppress(KafkaException):
            return int(self._consumer.get_watermark_offsets(at, _ASK_S, cached=False)[1])
        # A consumer that knows no leader does not answer this either. Ask another one.
        with closing(make_client(Consumer, self._config, Reports())) as other, suppress(KafkaException):
            return int(other.get_watermark_offsets(at, _ASK_S, cached=False)[1])
        raise self.unreachable(f"return the end of topic {topic}")

    def _meet(self, topic: str) -> None:
        """Ask for a topic's leaders now; the consumer alone would ask up to a second later."""
        self._answered(
            lambda: self._consumer.list_topics(topic, self._deadlines.request_s), f"describe topic {topic}"
        )
        self._known.add(topic)

    def _records(self, messages: Sequence[Message]) -> list[Record]:
        records = []
        heard: set[str] = set()
        for message in messages:
            topic, offset = message.topic(), message.offset()
            error = message.error()
            if topic not in self._next or offset is None:
                if error is not None:
                    self._trouble(error)
            elif error is None:
                self._next[topic] = offset + 1
                heard.add(topic)
                records.append(
                    Record(
                        topic,
                        self._partition,
                        offset,
                        message.key(),
                        message.value(),
                        message.timestamp()[1],
                        headers_of(message),
                    )
                )
            elif error.code() == _END_REACHED:
                # Transaction markers may follow the last record. This offset lies past them.
                self._next[topic] = max(self._next[topic], offset)
                heard.add(topic)
            else:
                self._trouble(error)
        for topic in heard:
            self._silence.heard(self._places[topic])
        return records

    def _trouble(self, error: KafkaError) -> None:
        if error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
            return  # librdkafka looks for the group's coordinator, but only `committed` needs the group
        if not is_passing(error):
            raise InDoubt(f"the log cannot be read at the lane's offset: {error.str()}")
        log.warning("kafka reports an error while reading", brokers=address(self._client), reason=error.str())

    def _answered(self, ask: Callable[[], Answer], task: str) -> Answer:
        try:
            return answered(ask, self._deadlines.request_s)
        except KafkaException as error:
            if not self._next:
                # Let the consumer report the reason. With an assignment, this call could take a record.
                self._consumer.poll(0)
            raise unreachable(self._client, task, self._reports, error_of(error)) from None


def _say_stuck(topic: str, partition: int, offset: int, _end: int) -> None:
    log.warning("reader was stuck", topic=topic, partition=partition, offset=offset)


def headers_of(message: Message) -> Headers:
    """A record's headers; empty if the name of a header is not UTF-8, which Kafka allows.

    For such a name, the client returns a list with a hole in it and leaves a Python error set. Code that
    touches the list crashes. Python does not always notice the error: for a direct method call, it stops
    checking once the code is warm. :func:`operator.methodcaller` always checks, so the call goes through it.
    Never call it twice for one message: the second call returns the list without the error.
    """
    try:
        headers = _HEADERS_OF(message)
    except (SystemError, UnicodeDecodeError):
        return ()
    if not headers:
        return ()
    pairs = headers.items() if isinstance(headers, dict) else headers
    return tuple([(name, _bytes(value)) for name, value in pairs])


def _bytes(value: str | bytes | None) -> bytes:
    if value is None:
        return b""
    return value.encode() if isinstance(value, str) else value
