"""Follows both topics, and writes what they say into a sink."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Protocol

from confluent_kafka import Message
from confluent_kafka.admin import OffsetSpec
from msgspec import Struct

from segue import interruption
from segue.config.settings import Settings
from segue.connect.kafka_access import DEADLINE_S, patiently
from segue.connect.read_topics import CommittedReader, Ends, check_counts
from segue.connect.wait_for_servers import PATIENCE_S, Wait
from segue.sink.merge_lane import LaneMerge
from segue.sink.segment_tables import ANEW, Place, Position, SinkLost
from segue.sink.sink_rows import Batch, Entry, batch_of, read_entry
from streamer.kafka.kafka_admin import Admin, TopicFacts, missing
from streamer.kafka.kafka_reader import headers_of

_BATCH = 4_000
_POLL_S = 0.2
# How long to collect records: a change comes from both topics, at nearly the same time.
_LINGER_S = 0.5
_RETRY_S = 1.0
_MOST_HELD = 1_000
"""Records of one partition that wait in memory; then it is paused."""


class Sink(Protocol):
    """Where the tables are."""

    @property
    def name(self) -> str: ...

    def start(self, topic_ids: Mapping[str, str], begins: Mapping[Place, int]) -> dict[Place, int]: ...

    def apply(self, batch: Batch, positions: Mapping[Place, Position]) -> None: ...

    def publish(self, *, last: bool) -> None: ...

    def counts(self) -> tuple[int, int]: ...

    def close(self) -> None: ...


class Written(Struct, frozen=True):
    """What one run did: records read, and the tables' rows after it."""

    records: int
    users: int
    rows: int


def run_sink(
    settings: Settings, open_sink: Callable[[], Sink], where: str, say: Callable[[str], None], *, once: bool
) -> Written:
    """Keep the tables up to date.

    Args:
        settings: name the Kafka and the topics.
        open_sink: connects; called again after a lost connection.
        where: the sink's name, for messages about a wait.
        say: called with sentences about the progress.
        once: return at the end of the topics, as they are now; else go on until a signal.

    Raises:
        BadTopics: the topics are missing, or the tables follow other topics, or Kafka has deleted changes
            that were not read.
        BadChange: this version of Segue cannot read a record.
        BadWarehouse: the tables cannot be written.
        NoRoom: the disk of the folder is full.
        Unreachable: Kafka has not answered for too long, or no batch could be written for so long.
    """
    wait, records, is_said = Wait(where), 0, False
    while True:
        begun_s = time.monotonic()
        try:
            with closing(open_sink()) as sink, closing(_Follower(settings, sink, wait.over)) as follower:
                if not is_said:
                    say(follower.begins)
                    is_said = True
                try:
                    follower.follow(once=once)
                finally:
                    records += follower.records
                    with interruption.held():
                        sink.publish(last=True)
                return Written(records, *sink.counts())
        except SinkLost as lost:
            # The last commit may have succeeded without an answer. The next start reads the stored offsets.
            if time.monotonic() - begun_s > PATIENCE_S:
                wait = Wait(where)  # this connection has lasted: do not add its time to the former wait
            if wait.lasts(str(lost), at_once=True):
                raise
            time.sleep(_RETRY_S)


class _Follower:
    """Reads both topics from the sink's offsets on, and calls ``on_written`` after each batch."""

    def __init__(self, settings: Settings, sink: Sink, on_written: Callable[[], None]) -> None:
        self._prefix = settings.topic_prefix
        self._sink, self._on_written = sink, on_written
        self._topics = (settings.topics.changes, settings.topics.users)
        facts, begins = patiently(settings, lambda: self._look(settings))
        if absent := [name for name in self._topics if name not in facts]:
            raise missing(absent)
        check_counts({name: facts[name].partitions for name in self._topics})
        self._ids = {name: each.topic_id for name, each in facts.items()}
        starts = sink.start(self._ids, begins)
        self._lanes = [LaneMerge() for _ in range(facts[self._topics[0]].partitions)]
        self._reader = CommittedReader(
            settings.kafka_client,
            self._topics,
            from_beginning=True,
            starts={**begins, **starts},
            gap_fix=ANEW,
        )
        self._paused: set[Place] = set()
        self._asked = 0
        self._ends: Ends = {}
        self._written: dict[Place, int] = dict(starts)
        self.records = 0
        first = "from the oldest record in Kafka on" if not starts else "from its own offsets on"
        self.begins = f"Writing to {sink.name}, {first}."

    def _look(self, settings: Settings) -> tuple[dict[str, TopicFacts], dict[Place, int]]:
        admin = Admin(settings.kafka_client, DEADLINE_S)
        facts = admin.describe_settled(self._topics)
        begins = {
            (name, partition): admin.offset(
                name,
                partition,
                OffsetSpec.earliest(),  # type: ignore[no-untyped-call]
            )
            for name, each in facts.items()
            for partition in range(each.partitions)
        }
        return facts, begins

    def follow(self, *, once: bool) -> None:
        """Write what comes; with ``once``, return when everything up to the present ends is written."""
        if not self._written:  # store the topics' ids and the first offsets before any record
            self._write()
        goal = self._reader.ends() if once else None
        while goal is None or not all(self._written.get(place, 0) >= end for place, end in goal.items()):
            self._collect()
            self._certain()
            with interruption.held():
                self._write()
                self._sink.publish(last=False)

    def _collect(self) -> None:
        """Read until a batch is full, or for :data:`_LINGER_S`, in which a change's second record comes."""
        end_s = time.monotonic() + _LINGER_S
        while sum(map(len, self._lanes)) < _BATCH and time.monotonic() < end_s:
            self._read()

    def _certain(self) -> None:
        """Make waiting records certain: read each partition without records to its end, asked for now."""
        blocked = list(self._one_sided())
        if not blocked:
            return
        self._ends = self._reader.ends()
        self._asked += 1
        while any(self._is_open(place) for place in blocked):
            self._read()

    def _one_sided(self) -> Iterator[Place]:
        """The partitions without waiting records, if the lane's other topic has some."""
        changes, users = self._topics
        for number, lane in enumerate(self._lanes):
            if lane.is_one_sided:
                yield (users if lane.changes else changes, number)

    def _is_open(self, place: Place) -> bool:
        return not self._queue(place) and self._reader.reached[place] < self._ends[place]

    def _queue(self, place: Place) -> deque[tuple[int, Entry]]:
        lane = self._lanes[place[1]]
        return lane.changes if place[0] == self._topics[0] else lane.users

    def _read(self) -> None:
        message = self._reader.poll(_POLL_S)
        if message is not None:
            self._keep(message)

    def _keep(self, message: Message) -> None:
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        assert topic is not None
        assert partition is not None
        assert offset is not None
        entry = read_entry(message.key(), message.value(), headers_of(message), offset)
        if entry is None:
            return
        queue = self._queue((topic, partition))
        queue.append((self._asked, entry))
        self.records += 1
        if len(queue) >= _MOST_HELD and (topic, partition) not in self._paused:
            self._reader.pause((topic, partition))
            self._paused.add((topic, partition))

    def _write(self) -> None:
        """Commit what is certain, with the offsets behind it."""
        taken: list[Entry] = []
        changes, users = self._topics
        for number, lane in enumerate(self._lanes):
            at_end = {
                topic: self._reader.reached[topic, number] >= self._ends.get((topic, number), 1 << 62)
                for topic in self._topics
            }
            taken += lane.take(self._asked, changes_at_end=at_end[changes], users_at_end=at_end[users])
        positions = self._positions()
        if not taken and positions == self._written:
            return
        batch = batch_of((entry.step for entry in taken), self._prefix)
        moved = {
            place: Position(offset, self._ids[place[0]])
            for place, offset in positions.items()
            if self._written.get(place) != offset
        }
        self._sink.apply(batch, moved)
        self._on_written()
        self._written = positions
        for place in list(self._paused):
            if len(self._queue(place)) < _MOST_HELD // 2:
                self._reader.resume(place)
                self._paused.discard(place)

    def _positions(self) -> dict[Place, int]:
        """The offset of the first record of each partition that is not written yet."""
        positions = dict(self._reader.reached)
        for number, lane in enumerate(self._lanes):
            for topic, queue in zip(self._topics, (lane.changes, lane.users), strict=True):
                if queue:
                    positions[topic, number] = queue[0][1].offset
        return positions

    def close(self) -> None:
        """Close the connection to Kafka."""
        self._reader.close()
