"""Reads whole topics, without a consumer group, and only committed records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    Message,
    TopicPartition,
)

from schemas.counted import counted
from schemas.errors import BadTopics
from segue.connect.wait_for_servers import Wait, answer_s, patience_s
from streamer.interfaces.lane_errors import InDoubt
from streamer.kafka.kafka_admin import Admin
from streamer.kafka.kafka_client import Deadlines, Reports, address, make_client
from streamer.kafka.kafka_watch import TopicWatch
from streamer.kafka.silent_partitions import SilentPartitions, close_beside

READERS_GROUP = "segue-reader"
"""The group of readers that commit nothing: librdkafka needs one."""
_DEADLINE_S = 10.0
# While the reader waits for records, it checks this often that Kafka answers.
_CHECK_S = 3.0
_GONE = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC)  # noqa: SLF001 - librdkafka's own code
_END_REACHED = KafkaError._PARTITION_EOF  # noqa: SLF001
_OUTSIDE = (KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._AUTO_OFFSET_RESET)  # noqa: SLF001

Ends = Mapping[tuple[str, int], int]
"""The offset after the last record, by topic and partition."""


def check_counts(partitions: Mapping[str, int]) -> None:
    """Check that topics whose partitions are read side by side have the same number of partitions.

    Raises:
        BadTopics: one has another number than the first.
    """
    first, count = next(iter(partitions.items()))
    for topic, other in partitions.items():
        if other != count:
            raise BadTopics(
                f"topic {first} has {counted(count, 'partition')} and {topic} has {other}: a user must have"
                " the same number in both, so create them again with equal counts (docs/rebuilding.md,"
                " Another number of partitions)"
            )


class CommittedReader:
    """Reads all partitions of some topics, without aborted records.

    It waits for Kafka, and reports the wait to the user.

    Args:
        client: librdkafka's options of a client.
        topics: the topics to read.
        from_beginning: start with the oldest records; else with the first record after this call.
        starts: the offsets to start with, by topic and partition; they come before ``from_beginning``.
        gap_fix: what to do if Kafka deletes records before they are read: then :meth:`poll` raises. None:
            go on with the oldest record.

    Raises:
        Unreachable: Kafka does not answer.
        BadTopics: a topic does not exist.
    """

    def __init__(
        self,
        client: Mapping[str, str],
        topics: Sequence[str],
        *,
        from_beginning: bool,
        starts: Ends | None = None,
        gap_fix: str | None = None,
    ) -> None:
        self._client, self._gap_fix = client, gap_fix
        self._reports = Reports()
        self._wait = Wait(f"Kafka at {address(client)}")
        self._admin = Admin(client, answer_s(_DEADLINE_S))
        self._watch = TopicWatch(
            self._admin,
            client,
            Deadlines(check_s=_CHECK_S, outage_s=patience_s()),
            on_silence=lambda reason: self._wait.lasts(reason, at_once=True),
            on_answer=self._wait.over,
        )
        self._config = {
            **client,
            "group.id": READERS_GROUP,
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest" if gap_fix is None else "error",
            "fetch.wait.max.ms": 50,
        }
        self._places = self._wait.until_answered(lambda: self._partitions(topics))
        self._reached = dict.fromkeys(self._places, 0)
        if not from_beginning:
            self._reached = dict(self.ends())
        starts = starts or {}
        self._reached.update({place: starts[place] for place in self._places if place in starts})
        self._paused: set[tuple[str, int]] = set()
        self._silence = SilentPartitions(self._admin.stable_end)
        self._connect()

    def _connect(self) -> None:
        """Make a consumer, and begin at the offsets that are reached."""
        self._consumer = make_client(Consumer, self._config, self._reports)
        self._consumer.assign(
            [TopicPartition(*place, offset or OFFSET_BEGINNING) for place, offset in self._reached.items()]
        )
        if self._paused:
            self._consumer.pause([TopicPartition(*place) for place in self._paused])
        self._silence.begin(place for place in self._places if place not in self._paused)

    def _partitions(self, topics: Sequence[str]) -> list[tuple[str, int]]:
        found = self._admin.describe(topics)
        for topic in topics:
            if topic not in found:
                raise BadTopics(
                    f"there is no topic {topic} at {address(self._client)}: start `segue worker`,"
                    " which makes it, or correct topic_prefix"
                )
            self._watch.expect(topic, found[topic])
        return [(topic, partition) for topic in topics for partition in range(found[topic].partitions)]

    def ends(self) -> Ends:
        """Return the current end of each partition.

        Raises:
            Unreachable: Kafka does not answer.
        """
        return self._wait.until_answered(
            lambda: {place: self._admin.stable_end(*place) for place in self._places}
        )

    def poll(self, timeout_s: float) -> Message | None:
        """Return the next record; None if no record comes within the time. Wait for a broker that restarts.

        Raises:
            BadTopics: a topic was deleted, or this login may not read it, or records were deleted that may
                not be missed.
            Unreachable: Kafka has not answered for :func:`~segue.connect.wait_for_servers.patience_s`.
        """
        try:
            self._watch.look()
        except InDoubt as doubt:
            raise BadTopics(f"{doubt}: start the command again") from None
        if self._silence.are_stuck(self._reached):
            close_beside(self._consumer)
            self._connect()
        message = self._silence.poll(self._consumer, timeout_s)
        if message is None:
            return None
        error = message.error()
        if error is None:
            self._note(message, 1)
            return message
        if error.code() == _END_REACHED:
            self._note(message, 0)
        elif error.code() in _GONE:
            raise BadTopics(f"the topic {message.topic()} is gone: was it deleted?")
        elif error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            raise BadTopics(f"this login may not read {message.topic()}: grant it READ")
        elif error.code() in _OUTSIDE:
            raise BadTopics(
                f"Kafka has deleted records of {message.topic()}, partition {message.partition()}, before"
                f" they were read, and perhaps an erasure with them: {self._gap_fix}"
            )
        return None

    def has_reached(self, ends: Ends) -> bool:
        """Return whether everything before these offsets has been read, past transaction markers, too."""
        return all(self._reached[place] >= end for place, end in ends.items())

    @property
    def reached(self) -> Ends:
        """The next offset to read of each partition; at a partition's end past transaction markers."""
        return self._reached

    def pause(self, place: tuple[str, int]) -> None:
        """Read no more of a partition, until :meth:`resume`."""
        self._consumer.pause([TopicPartition(*place)])
        self._paused.add(place)
        self._silence.leave(place)

    def resume(self, place: tuple[str, int]) -> None:
        """Read a paused partition again."""
        self._consumer.resume([TopicPartition(*place)])
        self._paused.discard(place)
        self._silence.expect(place)

    def close(self) -> None:
        """Close the connection."""
        self._consumer.close()

    def _note(self, message: Message, step: int) -> None:
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        assert topic is not None
        assert partition is not None
        assert offset is not None
        self._reached[topic, partition] = offset + step
        self._silence.heard((topic, partition))
