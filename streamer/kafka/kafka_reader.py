"""The reading side of a lane: one consumer, assigned and never subscribed."""

from collections.abc import Callable, Collection, Mapping, Sequence
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
from streamer.place.offset_note import committed

Answer = TypeVar("Answer")

_END_REACHED = KafkaError._PARTITION_EOF  # noqa: SLF001 - librdkafka's own errors have an underscore

_HEADERS_OF = methodcaller("headers")

_READING: Config = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "isolation.level": "read_committed",
    # A position that the log does not have is a doubt to resolve, never a reason to read elsewhere.
    "auto.offset.reset": "error",
    # Transaction markers and compaction leave gaps, so the last record does not tell that it is the last.
    "enable.partition.eof": True,
}

# What a user of the library may set otherwise.
_DEFAULTS: Config = {
    # The end of a partition is only told by a fetch that waited this long in vain, and a takeover reads
    # to an end twice: 500 ms, the default, is most of its time.
    "fetch.wait.max.ms": 100,
    # Per lane; the defaults are 50 MB on the wire and 64 MB in the queue.
    "fetch.max.bytes": 16 * 1024 * 1024,
    "queued.max.messages.kbytes": 16 * 1024,
    # How long fetching pauses once the queue is full: 1 s by default, in which a lane would empty it and wait.
    "fetch.queue.backoff.ms": 10,
    "fetch.error.backoff.ms": 100,
    "reconnect.backoff.max.ms": 1_000,
    "topic.metadata.propagation.max.ms": 10_000,
}


class Reader:
    """Reads one partition number of some topics, from offsets that it is told."""

    def __init__(self, partition: int, group: str, client: Mapping[str, str], deadlines: Deadlines) -> None:
        self._partition = partition
        self._client = client
        self._deadlines = deadlines
        self._reports = Reports()
        self._consumer = make_client(
            Consumer,
            {
                "socket.timeout.ms": int(max(deadlines.request_s, 1.0) * 1000),
                **_DEFAULTS,
                **client,
                **_READING,
                "group.id": group,
            },
            self._reports,
        )
        self._known: set[str] = set()
        self._next: dict[str, int] = {}

    @property
    def group_metadata(self) -> Any:
        """Whose offsets a producer commits in a transaction."""
        return self._consumer.consumer_group_metadata()

    def committed(self, topics: Collection[str]) -> dict[str, Committed]:
        """The group's stable offsets, by topic; a topic without one is absent.

        Raises:
            Unreachable: there was no answer, or an open transaction still held them back.
        """
        asked = [TopicPartition(topic, self._partition) for topic in topics]

        def ask() -> list[TopicPartition]:
            # Under read_committed librdkafka asks for stable offsets, and asks again until they are.
            told = self._consumer.committed(asked, self._deadlines.request_s)
            for at in told:
                if at.error is not None:
                    raise KafkaException(at.error)
            return told

        told = self._answered(ask, "tell the group's offsets")
        return {at.topic: committed(at.offset, at.metadata) for at in told if at.offset >= 0}

    def read_from(self, positions: Mapping[str, int]) -> None:
        """Read these topics from these offsets on, and no other; ends reached before are forgotten.

        Raises:
            Unreachable: a topic is new to this consumer, and no broker said who leads it.
        """
        for topic in positions.keys() - self._known:
            self._meet(topic)
        self._next = dict(positions)
        self._consumer.assign(
            [TopicPartition(topic, self._partition, offset) for topic, offset in positions.items()]
        )

    def poll(self, max_records: int, timeout_s: float) -> list[Record]:
        """What is there, at most ``max_records``.

        Waits up to ``timeout_s`` for the first record, or until the end of a partition is reached, which
        may be all that the caller waits for.

        Raises:
            InDoubt: the log does not go on where we stand.
        """
        first = self._consumer.poll(timeout_s)
        if first is None:
            return []
        return self._records([first, *self._consumer.consume(max_records - 1, 0)])

    def at_end(self, ends: Mapping[str, int]) -> bool:
        """Whether reading has passed all these offsets."""
        return all(self._next[topic] >= end for topic, end in ends.items())

    def reached(self) -> Mapping[str, int]:
        """By topic, the offset that is read next, at a partition's end beyond what is no record."""
        return dict(self._next)

    def lag(self) -> dict[str, int]:
        """By topic, how many offsets lie ahead, as of the last fetch."""
        lag = {}
        for topic, position in self._next.items():
            _, end = self._consumer.get_watermark_offsets(TopicPartition(topic, self._partition), cached=True)
            lag[topic] = max(0, end - position)
        return lag

    def unreachable(self, task: str) -> Unreachable:
        """The error of a Kafka that did not do this while we read."""
        return unreachable(self._client, task, self._reports)

    def close(self) -> None:
        """Let go of the connections; does not wait for the broker."""
        self._consumer.close()

    def _meet(self, topic: str) -> None:
        """Ask for a topic's leaders; by itself the consumer would ask at its next round, within a second."""
        self._answered(
            lambda: self._consumer.list_topics(topic, self._deadlines.request_s), f"describe topic {topic}"
        )
        self._known.add(topic)

    def _records(self, messages: Sequence[Message]) -> list[Record]:
        records = []
        for message in messages:
            topic, offset = message.topic(), message.offset()
            error = message.error()
            if topic not in self._next or offset is None:
                if error is not None:
                    self._trouble(error)
            elif error is None:
                self._next[topic] = offset + 1
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
                # Beyond the last record there may be markers, and this is beyond those, too.
                self._next[topic] = max(self._next[topic], offset)
            else:
                self._trouble(error)
        return records

    def _trouble(self, error: KafkaError) -> None:
        if not is_passing(error):
            raise InDoubt(f"the log does not go on where the lane stands: {error.str()}")
        log.warning("kafka reads with trouble", brokers=address(self._client), reason=error.str())

    def _answered(self, ask: Callable[[], Answer], task: str) -> Answer:
        try:
            return answered(ask, self._deadlines.request_s)
        except KafkaException as error:
            if not self._next:
                # Lets it report why; while something is assigned, this might take a record.
                self._consumer.poll(0)
            raise unreachable(self._client, task, self._reports, error_of(error)) from None


def headers_of(message: Message) -> Headers:
    """A record's headers; none where the name of one is not UTF-8, which Kafka allows.

    For such a name the client hands out a list with a hole in it, which crashes whoever touches it, and
    leaves an error standing beside it. Whether Python notices the error depends on how it calls: for a
    method called in place it stops looking once the code is warm, so the call goes through
    :func:`operator.methodcaller`, which always looks. A second call on the same message would find the
    list without the error, so there must be none.
    """
    try:
        told = _HEADERS_OF(message)
    except (SystemError, UnicodeDecodeError):
        return ()
    if not told:
        return ()
    pairs = told.items() if isinstance(told, dict) else told
    return tuple([(name, _bytes(value)) for name, value in pairs])


def _bytes(value: str | bytes | None) -> bytes:
    if value is None:
        return b""
    return value.encode() if isinstance(value, str) else value
