"""Bytewax: at least once, with the users in Redis; for each event, or in batches (``job.batch`` above 1).

Bytewax has no Kafka transactions and fences no writer: a change may come twice after a crash, and a worker
that hangs may write over its successor.
"""

from __future__ import annotations

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import run_main

from benchmarks.bare.bare_change import Input
from benchmarks.bare.bare_events import decode_order, decode_signup
from benchmarks.bare.bare_store import BareStore
from benchmarks.bare.decide_batch import decide_batch
from benchmarks.bare.table_score import TableScorer
from benchmarks.ways.way_job import READY, Job, done_and_wait, read_job, say


class Work:
    """Decides events; counts the applied events and the records that still have to be written."""

    def __init__(self, job: Job) -> None:
        self._job, self._topics = job, job.topics
        self._scorer = TableScorer(job.read_release())
        self._names = [segment.name for segment in self._scorer.release.segments]
        self._store = BareStore(job.redis, job.redis_prefix, "bytewax")
        self._applied = self._unwritten = 0

    def apply(self, messages: list[KafkaSourceMessage[bytes, bytes]]) -> list[KafkaSinkMessage[bytes, bytes]]:
        """The records of the changes of these events, after the save."""
        decided = decide_batch(
            [self._input(m) for m in messages], self._store, self._scorer, self._job.topic_prefix
        )
        place = b"%d" % (self._applied + len(messages))
        self._store.save(place, decided.users, decided.changed, self._names, decided.angles)
        self._applied += len(messages)
        records = [
            KafkaSinkMessage(key, value, topic, headers, partition)
            for topic in (self._topics.changes, self._topics.users)
            for partition, key, value, headers in decided.records
        ]
        self._unwritten += len(records)
        self._end_if_done()
        return records

    def written(self, records: int) -> None:
        """Count records that Kafka has acknowledged."""
        self._unwritten -= records
        self._end_if_done()

    def _end_if_done(self) -> None:
        if self._applied == self._job.events and not self._unwritten:
            done_and_wait()

    def _input(self, message: KafkaSourceMessage[bytes, bytes]) -> Input:
        is_order = message.topic == self._topics.orders
        event = decode_order(message.value) if is_order else decode_signup(message.value)
        return Input(event, message.topic, message.partition, message.offset)


class _CountedPartition(StatelessSinkPartition):  # type: ignore[misc]
    def __init__(self, inner: StatelessSinkPartition, work: Work) -> None:
        self._inner, self._work = inner, work

    def write_batch(self, items: list[KafkaSinkMessage[bytes, bytes]]) -> None:
        self._inner.write_batch(items)
        self._work.written(len(items))


class CountedSink(DynamicSink):  # type: ignore[misc]
    """Bytewax's sink for Kafka; tells the work what is written."""

    def __init__(self, inner: KafkaSink, work: Work) -> None:
        self._inner, self._work = inner, work

    def build(self, step_id: str, worker_index: int, worker_count: int) -> _CountedPartition:
        """The sink of one worker."""
        return _CountedPartition(self._inner.build(step_id, worker_index, worker_count), self._work)


class AnnouncedSource(KafkaSource):  # type: ignore[misc]
    """Bytewax's source for Kafka; says that it is ready when its last partition is open."""

    def __init__(self, job: Job) -> None:
        read = {"isolation.level": "read_committed", "group.id": job.group, "fetch.wait.max.ms": "100"}
        super().__init__([job.kafka], list(job.topics.sources), add_config=read)
        self._left = 2 * job.partitions

    def build_part(self, step_id: str, for_part: str, resume_state: int | None) -> object:
        """The source of one partition."""
        part = super().build_part(step_id, for_part, resume_state)
        self._left -= 1
        if not self._left:
            say(READY)
        return part


def main() -> None:
    """Run the flow until all events of the job are applied."""
    job = read_job()
    work = Work(job)
    flow = Dataflow("bench")
    messages = op.input("in", flow, AnnouncedSource(job))
    if job.batch > 1:
        records = op.flat_map_batch("apply", messages, work.apply)
    else:
        records = op.flat_map("apply", messages, lambda message: work.apply([message]))
    op.output("out", records, CountedSink(KafkaSink([job.kafka], topic=None), work))
    run_main(flow)


if __name__ == "__main__":
    main()
