"""A lane's log on Kafka; :class:`streamer.interfaces.lane_interfaces.Log` states its promises.

A log has one consumer that reads, one producer that writes, and one admin client that checks the topics.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date

from confluent_kafka import TopicPartition

from schemas.errors import BadTopics
from schemas.partitioner import Partitioner
from streamer.interfaces.lane_errors import InDoubt, LaneClosing
from streamer.interfaces.lane_interfaces import Bounds, Committed, Former, OutRecord, Record
from streamer.kafka.kafka_admin import Admin
from streamer.kafka.kafka_client import Deadlines
from streamer.kafka.kafka_reader import Reader
from streamer.kafka.kafka_watch import TopicWatch
from streamer.kafka.kafka_writer import Writer
from streamer.place.offset_note import note


class KafkaLog:
    """One partition of the lane's topics. The lane does not join the group; the group only keeps offsets.

    Most methods call the reader or the writer. A lane has one log; its reader and its writer have one client
    each.
    """

    def __init__(
        self,
        partition: int,
        inputs: Collection[str],
        group: str,
        client: Mapping[str, str],
        partitioner: Partitioner = "murmur2",
        deadlines: Deadlines | None = None,
        closing: Callable[[], bool] = lambda: False,
    ) -> None:
        """Create the clients; they connect in the background.

        Args:
            partition: the lane's partition number.
            inputs: the topics whose offsets the group keeps.
            group: the consumer group that keeps the offsets.
            client: librdkafka's settings: ``bootstrap.servers``, ``security.protocol``…
            partitioner: the partitioner for records without a partition.
            deadlines: how long to wait for Kafka.
            closing: whether the lane must close; waiting for a broker then ends.

        Raises:
            BadClientOptions: librdkafka refuses these settings.
        """
        deadlines = deadlines or Deadlines()
        self._partition = partition
        self._closing = closing
        self._inputs = tuple(inputs)
        self._reader = Reader(partition, group, client, deadlines)
        self._writer = Writer(f"{group}-{partition}", client, partitioner, deadlines, closing)
        self._admin = Admin(client, deadlines.request_s)
        self._watch = TopicWatch(self._admin, client, deadlines)
        self._formers: Mapping[str, Former] = {}
        self._day: date | None = None

    def fence(self) -> None:
        """Start the lane's producer; this ends the former producer's transaction.

        Raises:
            Fenced: another producer of this lane was started at the same time.
            LaneClosing: the lane must close.
        """
        self._writer.fence()

    def committed(self) -> dict[str, Committed]:
        """The group's stable offsets by input; an input without a committed offset is absent."""
        return self._reader.committed(self._inputs)

    def watch(self, topic: str) -> Bounds:
        """The present bounds of the lane's partition of a topic; also remembers the topic's present id.

        Raises:
            BadTopics: the topic does not exist, lacks the lane's partition, or has another number of
                partitions than before.
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
        """Read these topics from these offsets on; stop reading other topics."""
        self._reader.read_from(positions)

    def poll(self, max_records: int, timeout_s: float) -> list[Record]:
        """The next records; waits for the first record or the end of a partition.

        Raises:
            InDoubt: the log cannot be read at the lane's offset: the offset or the topic is gone.
            LaneClosing: the lane must close.
            BadTopics: a topic has another number of partitions than before.
        """
        if self._closing():
            raise LaneClosing
        self._watch.look()
        return self._reader.poll(max_records, timeout_s)

    def at_end(self, ends: Mapping[str, int]) -> bool:
        """Whether reading has reached all these offsets, even if no record lies just before them."""
        return self._reader.at_end(ends)

    def reached(self) -> Mapping[str, int]:
        """The next offset to read, by topic; at a partition's end, it lies past transaction markers."""
        return self._reader.reached()

    def lag(self) -> dict[str, int]:
        """The lag in offsets by topic that is being read, from the last answer."""
        return self._reader.lag()

    def note_formers(self, formers: Mapping[str, Former]) -> None:
        """Name these former topics in the metadata of offsets from now on, by input."""
        self._formers = dict(formers)

    def note_day(self, day: date) -> None:
        """Name this day in the metadata of offsets from now on."""
        self._day = day

    def commit(self, records: Sequence[OutRecord], positions: Mapping[str, int]) -> dict[str, int]:
        """Commit one transaction: these records and the inputs' next offsets.

        The metadata of an offset has the id of the topic that the lane began to read. If the topic was
        created again since, the ids differ, so the offset does not count for the new topic.

        Returns:
            The offset after the last record written, by topic whose records name a partition.

        Raises:
            Fenced: another producer has taken the lane.
            InDoubt: the transaction failed, or its result is unknown.
            BadTopics: a topic does not exist, or it refuses a record as too large.
            LaneClosing: the broker does not answer, and the lane must close.
        """
        offsets = [self._offset(topic, offset) for topic, offset in positions.items()]
        return self._writer.commit(records, offsets, self._reader.group_metadata)

    def close(self) -> None:
        """Close every connection without waiting for the broker."""
        self._writer.give_up()
        self._reader.close()

    def _offset(self, topic: str, offset: int) -> TopicPartition:
        topic_id = self._watch.topic_id(topic)
        if topic_id is None:
            raise InDoubt(f"the id of topic {topic} was never asked for")
        metadata = note(topic_id, self._formers.get(topic), self._day)
        return TopicPartition(topic, self._partition, offset, metadata=metadata)
