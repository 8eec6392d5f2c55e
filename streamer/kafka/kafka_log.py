"""Kafka's side of a lane: see :class:`streamer.interfaces.lane_interfaces.Log` for what is promised.

One consumer that reads, one producer that writes, one admin client that asks how the topics are now.
"""

from collections.abc import Callable, Mapping, Sequence

from confluent_kafka import TopicPartition

from schemas.errors import BadTopics
from schemas.partitioner import Partitioner
from schemas.topics import Topics
from streamer.interfaces.lane_errors import InDoubt, LaneClosing
from streamer.interfaces.lane_interfaces import Bounds, Committed, Former, OutRecord, Record
from streamer.kafka.kafka_admin import Admin
from streamer.kafka.kafka_client import Deadlines
from streamer.kafka.kafka_reader import Reader
from streamer.kafka.kafka_watch import TopicWatch
from streamer.kafka.kafka_writer import Writer
from streamer.place.offset_note import note


class KafkaLog:
    """Partition ``partition`` of a lane's topics, as member of nothing: the group only keeps offsets.

    Most methods hand the call to the reader or the writer: a lane has one log, and each of the two has one
    client.
    """

    def __init__(
        self,
        partition: int,
        topics: Topics,
        group: str,
        client: Mapping[str, str],
        partitioner: Partitioner = "murmur2",
        deadlines: Deadlines | None = None,
        closing: Callable[[], bool] = lambda: False,
    ) -> None:
        """Connects in the background.

        Args:
            client: librdkafka's settings: ``bootstrap.servers``, ``security.protocol``…
            closing: whether the lane is to close, so that waiting for a broker ends.

        Raises:
            BadSetting: librdkafka cannot use these settings.
        """
        deadlines = deadlines or Deadlines()
        self._partition = partition
        self._closing = closing
        self._topics = topics
        self._reader = Reader(partition, group, client, deadlines)
        self._writer = Writer(f"{group}-{partition}", client, partitioner, deadlines, closing)
        self._admin = Admin(client, deadlines.request_s)
        self._watch = TopicWatch(self._admin, client, deadlines)
        self._formers: Mapping[str, Former] = {}

    def fence(self) -> None:
        """Start the lane's producer, which ends its predecessor's transaction.

        Raises:
            Fenced: another one did the same at the same time.
            LaneClosing: the lane is to close.
        """
        self._writer.fence()

    def committed(self) -> dict[str, Committed]:
        """The group's stable offsets of the inputs; one without is absent."""
        return self._reader.committed(self._topics.inputs)

    def watch(self, topic: str) -> Bounds:
        """Go by a topic as the broker knows it now; the bounds of the lane's partition.

        Raises:
            BadTopics: the topic does not exist, has no such partition, or another number than before.
        """
        facts = self._admin.topic(topic)
        if self._partition >= facts.partitions:
            raise BadTopics(
                f"topic {topic} has {facts.partitions} partitions, so lane {self._partition} has none there:"
                " give all topics of the lanes as many"
            )
        self._watch.expect(topic, facts)
        return self._admin.bounds(topic, self._partition, facts.topic_id)

    def read_from(self, positions: Mapping[str, int]) -> None:
        """Read these topics from these offsets on, and no other."""
        self._reader.read_from(positions)

    def poll(self, max_records: int, timeout_s: float) -> list[Record]:
        """Read what is there; waits for the first record, or for the end of a partition.

        Raises:
            InDoubt: the log does not go on where we stand: an offset is gone, or a topic is.
            LaneClosing: the lane is to close.
            BadTopics: a topic has another number of partitions than before.
        """
        if self._closing():
            raise LaneClosing
        self._watch.look()
        return self._reader.poll(max_records, timeout_s)

    def at_end(self, ends: Mapping[str, int]) -> bool:
        """Whether reading has passed all these offsets, though no record may lie just below them."""
        return self._reader.at_end(ends)

    def reached(self) -> Mapping[str, int]:
        """By topic being read, the offset that is read next; at the end it lies past transaction markers."""
        return self._reader.reached()

    def lag(self) -> dict[str, int]:
        """By topic being read, how many offsets lie ahead, as of the last answer."""
        return self._reader.lag()

    def note_formers(self, formers: Mapping[str, Former]) -> None:
        """From now on the offsets' metadata names these topics, which were there before those of now."""
        self._formers = dict(formers)

    def commit(self, records: Sequence[OutRecord], positions: Mapping[str, int]) -> dict[str, int]:
        """One transaction of these records and the inputs' next offsets.

        The offsets' metadata is the id of the topic that the lane began to read, not of one that may
        have been made anew under its name since: so such an offset is void for the new one.

        Raises:
            Fenced: another producer has taken the lane.
            BadTopics: a topic is not there, or refuses records of such a size.
            LaneClosing: the broker does not answer, and the lane is to close.
        """
        offsets = [self._offset(topic, offset) for topic, offset in positions.items()]
        return self._writer.commit(records, offsets, self._reader.group_metadata)

    def close(self) -> None:
        """Let go of every connection; does not wait for the broker."""
        self._writer.give_up()
        self._reader.close()

    def _offset(self, topic: str, offset: int) -> TopicPartition:
        topic_id = self._watch.topic_id(topic)
        if topic_id is None:
            raise InDoubt(f"the id of topic {topic} was never asked for")
        metadata = note(topic_id, self._formers.get(topic))
        return TopicPartition(topic, self._partition, offset, metadata=metadata)
