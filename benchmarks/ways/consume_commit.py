"""No work: consume, write a record for each event, commit: the round trip that a worker cannot avoid."""

from __future__ import annotations

import time

import msgspec
from confluent_kafka import Consumer, Producer, TopicPartition
from msgspec import Struct

from benchmarks.ways.way_job import READY, read_job, say

_DEADLINE_S = 60.0


class _Event(Struct):
    event_id: str


_decode = msgspec.json.Decoder(_Event).decode


def main() -> None:
    """Answer events until the parent ends this process."""
    job = read_job()
    consumer = Consumer(
        {
            "bootstrap.servers": job.kafka,
            "group.id": job.group,
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        }
    )
    producer = Producer(
        {
            "bootstrap.servers": job.kafka,
            "transactional.id": job.group,
            "linger.ms": 0,
            "retry.backoff.ms": 1,
        }
    )
    producer.init_transactions(_DEADLINE_S)
    offsets = {(topic, p): 0 for topic in job.topics.sources for p in range(job.partitions)}
    consumer.assign([TopicPartition(topic, p, 0) for topic, p in offsets])
    end_s = time.monotonic() + 1.0
    while time.monotonic() < end_s:
        consumer.consume(1, 0.1)
    say(READY)
    while True:
        first = consumer.poll(0.1)
        if first is None:
            continue
        producer.begin_transaction()
        for message in (first, *consumer.consume(job.batch - 1, 0)):
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
            answer = {"cause": {"event_id": _decode(value).event_id}}
            producer.produce(job.topics.changes, msgspec.json.encode(answer), message.key(), partition)
            offsets[topic, partition] = offset + 1
        next_offsets = [TopicPartition(topic, p, at) for (topic, p), at in offsets.items() if at]
        producer.send_offsets_to_transaction(next_offsets, consumer.consumer_group_metadata())
        producer.commit_transaction(_DEADLINE_S)


if __name__ == "__main__":
    main()
