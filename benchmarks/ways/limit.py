"""The limit: a bare loop with Segue's outputs, one transaction for each batch, and a save with a fence."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import msgspec
from confluent_kafka import Consumer, Message, Producer, TopicPartition

from benchmarks.bare.bare_change import Input
from benchmarks.bare.bare_events import decode_order, decode_signup
from benchmarks.bare.bare_store import BareStore
from benchmarks.bare.decide_batch import decide_batch
from benchmarks.bare.table_score import TableScorer
from benchmarks.ways.way_job import READY, Job, done_and_wait, read_job, say

_DEADLINE_S = 60.0
_CONNECTED_S = 10.0


class LimitLane:
    """One thread's partitions.

    Args:
        job: the job.
        scorer: the release.
        partitions: the numbers of the partitions.
    """

    def __init__(self, job: Job, scorer: TableScorer, partitions: Sequence[int]) -> None:
        self._job, self._topics, self._scorer = job, job.topics, scorer
        self._names = [segment.name for segment in scorer.release.segments]
        lane = "-".join(map(str, partitions))
        self._store = BareStore(job.redis, job.redis_prefix, lane)
        self._consumer = Consumer(
            {
                "bootstrap.servers": job.kafka,
                "group.id": job.group,
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 100,
            }
        )
        self._producer = Producer(
            {
                "bootstrap.servers": job.kafka,
                "transactional.id": f"{job.group}-{lane}",
                "linger.ms": 0,
                "retry.backoff.ms": 1,
                "queue.buffering.max.messages": 1_000_000,
            }
        )
        self._producer.init_transactions(_DEADLINE_S)
        self._next = {(topic, p): 0 for topic in self._topics.sources for p in partitions}
        self._consumer.assign([TopicPartition(topic, p, 0) for topic, p in self._next])
        self.applied = 0

    def connect(self) -> None:
        """Wait until the consumer has asked every partition."""
        end_s = time.monotonic() + _CONNECTED_S
        for topic, partition in self._next:
            at = TopicPartition(topic, partition)
            # The watermarks are cached with the first answer.
            while time.monotonic() < end_s and self._consumer.get_watermark_offsets(at, cached=True)[1] < 0:
                time.sleep(0.05)

    def step(self) -> None:
        """Take one batch, if there is one."""
        messages = self._consumer.consume(self._job.batch, 0.1)
        if not messages:
            return
        signups = self._topics.signups
        inputs = [
            *(self._input(message) for message in messages if message.topic() == signups),
            *(self._input(message) for message in messages if message.topic() != signups),
        ]
        decided = decide_batch(inputs, self._store, self._scorer, self._job.topic_prefix)
        self._producer.begin_transaction()
        for topic in (self._topics.changes, self._topics.users):
            for partition, key, value, headers in decided.records:
                self._producer.produce(topic, value, key, partition, headers=headers)
        self._producer.send_offsets_to_transaction(
            [TopicPartition(topic, p, offset) for (topic, p), offset in self._next.items()],
            self._consumer.consumer_group_metadata(),
        )
        self._producer.commit_transaction(_DEADLINE_S)
        place = msgspec.json.encode([[topic, p, offset] for (topic, p), offset in self._next.items()])
        self._store.save(place, decided.users, decided.changed, self._names, decided.angles)
        self.applied += len(inputs)

    def _input(self, message: Message) -> Input:
        topic, partition, offset, value = (
            message.topic(),
            message.partition(),
            message.offset(),
            message.value(),
        )
        assert topic is not None
        assert partition is not None
        assert offset is not None
        assert value is not None
        self._next[topic, partition] = offset + 1
        event = decode_signup(value) if topic == self._topics.signups else decode_order(value)
        positions = {source: self._next[source, partition] for source in self._topics.sources}
        return Input(event, topic, partition, offset, positions)


def _run(lane: LimitLane, ended: threading.Event) -> None:
    while not ended.is_set():
        lane.step()


def main() -> None:
    """Take all events of the job."""
    job = read_job()
    scorer = TableScorer(job.read_release())
    lanes = [LimitLane(job, scorer, range(first, job.partitions, job.lanes)) for first in range(job.lanes)]
    for lane in lanes:
        lane.connect()
    ended = threading.Event()
    threads = [threading.Thread(target=_run, args=(lane, ended), daemon=True) for lane in lanes]
    for thread in threads:
        thread.start()
    say(READY)
    while sum(lane.applied for lane in lanes) < job.events:
        time.sleep(0.005)
        if not all(thread.is_alive() for thread in threads):
            raise SystemExit("a lane of the limit has ended")
    done_and_wait()


if __name__ == "__main__":
    main()
