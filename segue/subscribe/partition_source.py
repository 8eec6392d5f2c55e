"""Reads the changes' records from Kafka: from all partitions, or from those that a group assigns."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.errors import BadTopics
from segue.connect import wait_for_servers
from segue.connect.read_topics import READERS_GROUP
from segue.connect.wait_for_servers import Wait
from segue.subscribe.group_owner import note_of, read_note
from segue.subscribe.reader_memory import Reached, ReaderMemory
from segue.subscribe.subscription import Start
from streamer.interfaces.lane_errors import InDoubt
from streamer.kafka.kafka_admin import Admin, TopicFacts, facts_of
from streamer.kafka.kafka_client import (
    Deadlines,
    Reports,
    address,
    answered,
    check_may_read,
    error_of,
    is_passing,
    is_unknown,
    make_client,
    unreachable,
)
from streamer.kafka.kafka_watch import TopicWatch
from streamer.kafka.silent_partitions import Place, SilentPartitions, close_beside

DEADLINE_S = 10.0
# While the reader waits for records, it checks this often that Kafka answers.
_CHECK_S = 3.0
_GONE = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC)  # noqa: SLF001 - librdkafka's own code
_END_REACHED = KafkaError._PARTITION_EOF  # noqa: SLF001
_OUTSIDE = (KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._AUTO_OFFSET_RESET)  # noqa: SLF001
# The group has moved on without this member; the partitions are assigned again, and begin again.
_NO_MEMBER = (
    KafkaError.ILLEGAL_GENERATION,
    KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError._STATE,  # noqa: SLF001
)


def find_topics(admin: Admin, topics: Iterable[str], client: Mapping[str, str]) -> dict[str, TopicFacts]:
    """Return the facts of these topics, by name.

    Raises:
        BadTopics: a topic does not exist.
        LoginRefused: this login may not read a topic.
        Unreachable: Kafka does not answer.
    """
    found = {}
    for topic in topics:
        facts = find_topic(admin, topic, client)
        if facts is None:
            raise BadTopics(
                f"there is no topic {topic} at {address(client)}: start `segue worker`, which makes it, or"
                " correct topic_prefix"
            )
        found[topic] = facts
    return found


def find_topic(admin: Admin, topic: str, client: Mapping[str, str]) -> TopicFacts | None:
    """Return the facts of a topic; None if it does not exist.

    Raises:
        LoginRefused: this login may not read the topic.
        Unreachable: Kafka does not answer.
    """
    task = f"describe topic {topic}"
    try:
        return facts_of(admin.asked(lambda: admin.ask([topic])[topic], task))
    except KafkaException as error:
        reason = error_of(error)
        if is_unknown(reason):
            return None
        check_may_read(reason, client, topic, None)
        raise unreachable(client, task, admin.reports, reason) from None


class PartitionSource:
    """Reads the committed records of a topic, and keeps the next offset of each partition.

    Args:
        client: librdkafka's settings of a client.
        topic: the topic of the changes.
        facts: the topics that must stay as they are, by name.
        group: the consumer group that shares the partitions and keeps the offsets; None reads all partitions
            and commits nothing.
        start: where to begin in a partition without an offset.
        memory: has the next offset of each partition that this reader has read.
        admin: asks for the topics' ends.
        wait: reports the wait for Kafka.
        on_begin: called at each assignment with all partitions of this reader, and where each begins.
    """

    def __init__(
        self,
        client: Mapping[str, str],
        topic: str,
        facts: Mapping[str, TopicFacts],
        *,
        group: str | None,
        start: Start,
        memory: ReaderMemory,
        admin: Admin,
        wait: Wait,
        on_begin: Callable[[Mapping[int, Reached]], None],
    ) -> None:
        self._client, self._topic, self._group, self._start = client, topic, group, start
        self._memory, self._admin, self._wait, self._on_begin = memory, admin, wait, on_begin
        self._reports = Reports()
        deadlines = Deadlines(check_s=_CHECK_S, outage_s=wait_for_servers.PATIENCE_S)
        self._watch = TopicWatch(
            admin,
            client,
            deadlines,
            on_silence=lambda reason: wait.lasts(reason, at_once=True),
            on_answer=wait.over,
        )
        for name, found in facts.items():
            self._watch.expect(name, found)
        self._config = {
            "fetch.wait.max.ms": 50,
            **client,
            "group.id": group or READERS_GROUP,
            # Commits the stored offsets, once a second and at the end.
            "enable.auto.commit": group is not None,
            "auto.commit.interval.ms": 1_000,
            "enable.auto.offset.store": False,
            "isolation.level": "read_committed",
            # Past transaction markers, only the report of the end tells how far a partition was read.
            "enable.partition.eof": True,
            # A missing offset must not become a gap, or everything again.
            "auto.offset.reset": "error",
            # A rebalance gives the whole assignment anew; the incremental one needs other calls.
            "partition.assignment.strategy": "range,roundrobin",
        }
        self._partitions, self._topic_id = facts[topic].partitions, facts[topic].topic_id
        self._next: dict[Place, int] = {}
        self._silence = SilentPartitions(self._admin.stable_end)
        self._connect()

    def _connect(self) -> None:
        """Make a consumer. It begins in each partition where this reader, or its group, has stopped."""
        self._consumer = make_client(Consumer, self._config, self._reports)
        if self._group is None:
            every = [TopicPartition(self._topic, number) for number in range(self._partitions)]
            self._assign(self._consumer, every)
        else:
            self._consumer.subscribe([self._topic], on_assign=self._assign, on_revoke=self._revoked)

    def poll(self, timeout_s: float) -> Message | None:
        """Return the next record; None if no record comes within the time. Wait for a broker that restarts.

        Raises:
            BadTopics: a topic was deleted, or the next record was.
            LoginRefused: this login may not read the topic, or not in this group.
            Unreachable: Kafka has not answered for some minutes.
        """
        try:
            self._watch.look()
        except InDoubt as doubt:
            raise BadTopics(f"{doubt}: start the program again") from None
        if self._silence.are_stuck(self._next):
            stuck = self._consumer
            self._revoked(stuck, [])
            self._connect()
            close_beside(stuck)
        end_s = time.monotonic() + timeout_s
        while True:
            message = self._silence.poll(self._consumer, max(0.0, end_s - time.monotonic()))
            if message is None:
                return None
            error = message.error()
            if error is None:
                self._note(message, 1)
                return message
            if error.code() != _END_REACHED:
                self._weigh(error)
                return None
            self._note(message, 0)

    def _note(self, message: Message, step: int) -> None:
        partition, offset = message.partition(), message.offset()
        assert partition is not None
        assert offset is not None
        self._next[self._topic, partition] = offset + step
        self._silence.heard((self._topic, partition))

    def _weigh(self, error: KafkaError) -> None:
        """Raise an error that does not pass."""
        if error.code() in _GONE:
            raise BadTopics(f"the topic {self._topic} is gone: was it deleted?")
        if error.code() in _OUTSIDE:
            raise self._deleted(error)
        if self._group is None and error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
            return  # librdkafka looks for the coordinator of a group that this reader does not use
        check_may_read(error, self._client, self._topic, self._group)
        if error.fatal():
            raise unreachable(self._client, f"let this reader read {self._topic}", self._reports, error)

    def reached(self) -> dict[int, int]:
        """Return the next offset to read by partition; at a partition's end, past transaction markers."""
        return {partition: offset for (_, partition), offset in self._next.items()}

    def store(self, partition: int, offset: int) -> None:
        """Keep the next offset for the group; it is committed within a second, or at the end."""
        if self._group is None:
            return
        try:
            note = note_of(self._topic_id, states_due=False)
            self._consumer.store_offsets(offsets=[TopicPartition(self._topic, partition, offset, note)])
        except KafkaException as error:
            if error_of(error).code() not in _NO_MEMBER:  # else the partition belongs to another reader now
                raise

    def resume(self) -> None:
        """Let :meth:`poll` return records again. Partitions with states to hand out are assigned paused."""
        self._consumer.resume(self._consumer.assignment())

    def close(self) -> None:
        """Commit the stored offsets, and leave the group."""
        self._consumer.close()

    def _assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        numbers = [each.partition for each in partitions]
        kept = (
            {}
            if self._group is None
            else self._wait.until_answered(lambda: self._committed(consumer, numbers))
        )
        begun = {number: self._begin(consumer, number, kept.get(number)) for number in numbers}
        self._memory.save()
        begins = [TopicPartition(self._topic, number, at.next) for number, at in begun.items()]
        consumer.assign(begins)
        if any(at.states_due for at in begun.values()):
            consumer.pause(begins)
        else:
            consumer.resume(begins)  # they may have been paused before a rebalance
        self._next = {(self._topic, number): at.next for number, at in begun.items()}
        self._silence.begin(self._next)
        self._on_begin(begun)

    def _revoked(self, consumer: Consumer, _partitions: list[TopicPartition]) -> None:
        if consumer is self._consumer:  # a stuck consumer may report this later, while it closes
            self._next = {}
            self._silence.begin(())
            self._on_begin({})

    def _begin(self, consumer: Consumer, partition: int, committed: Reached | None) -> Reached:
        """Return where to begin, and keep it, so that a crash before the first record makes no gap."""
        known = self._memory.reached(partition)
        if known is not None and (committed is None or not known.is_behind(committed)):
            return known
        if committed is None:
            begin = self._fresh(partition)
            if self._group is not None:
                self._commit(consumer, partition, begin)
        else:
            begin = committed
            if known is not None:
                self._memory.forget(partition)
        self._memory.reach(partition, begin)
        return begin

    def _fresh(self, partition: int) -> Reached:
        if self._start == "oldest":
            bounds = self._wait.until_answered(lambda: self._admin.bounds(self._topic, partition, ""))
            return Reached(bounds.begin)
        end = self._wait.until_answered(partial(self._admin.stable_end, self._topic, partition))
        return Reached(end, states_due=self._start == "states")

    def _committed(self, consumer: Consumer, partitions: list[int]) -> dict[int, Reached]:
        asked = [TopicPartition(self._topic, partition) for partition in partitions]

        def ask() -> list[TopicPartition]:
            found = consumer.committed(asked, DEADLINE_S)
            for at in found:
                if at.error is not None:
                    raise KafkaException(at.error)
            return found

        try:
            found = answered(ask, DEADLINE_S)
        except KafkaException as error:
            task = f"return the offsets of the group {self._group}"
            raise unreachable(self._client, task, self._reports, error_of(error)) from None
        return {at.partition: self._noted(at) for at in found if at.offset >= 0}

    def _noted(self, at: TopicPartition) -> Reached:
        states_due, topic_id = read_note(at.metadata)
        if topic_id not in {"", self._topic_id}:
            raise BadTopics(
                f"the topic {self._topic} was deleted and made anew, and the group {self._group} has the"
                " offsets of the former topic: some changes would be missing; begin again with another group"
            )
        return Reached(at.offset, states_due)

    def _commit(self, consumer: Consumer, partition: int, begin: Reached) -> None:
        metadata = note_of(self._topic_id, states_due=begin.states_due)
        offsets = [TopicPartition(self._topic, partition, begin.next, metadata)]
        try:
            answered(lambda: consumer.commit(offsets=offsets, asynchronous=False), DEADLINE_S)
        except KafkaException as error:
            if error_of(error).code() in _NO_MEMBER:
                return
            if not is_passing(error_of(error)):
                task = f"commit an offset of the group {self._group}"
                raise unreachable(self._client, task, self._reports, error_of(error)) from None

    def _deleted(self, error: KafkaError) -> BadTopics:
        return BadTopics(
            f"the next changes on {self._topic} are no longer in Kafka ({error.str()}): some would be"
            " missing; begin again with another group (or memory), from the newest states"
        )
