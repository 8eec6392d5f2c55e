"""A consumer that stopped to fetch is made anew, and nothing is lost. A pause looks the same from outside."""

from __future__ import annotations

from contextlib import closing

import pytest
from confluent_kafka import Consumer, TopicPartition

from schemas.outputs.segment_change import Change
from segue.connect.read_topics import CommittedReader
from segue.services import KafkaService
from segue.subscribe.change_feed import ChangeFeed
from segue.subscribe.partition_source import PartitionSource
from segue.subscribe.subscription import Subscription
from streamer.kafka.silent_partitions import SilentPartitions
from tests.support.servers.services import eventually
from tests.support.workers.change_writer import ChangeWriter


@pytest.fixture
def writer(kafka: KafkaService, topic_prefix: str) -> ChangeWriter:
    return ChangeWriter(kafka.bootstrap, topic_prefix)


def stop_fetching(consumer: Consumer, topic: str) -> None:
    consumer.pause([TopicPartition(topic, 0), TopicPartition(topic, 1)])


def impatient(reader: CommittedReader | PartitionSource, topic: str) -> SilentPartitions:
    silence = SilentPartitions(reader._admin.stable_end, 0.5)
    silence.begin([(topic, 0), (topic, 1)])
    return silence


def test_a_reader_of_whole_topics(writer: ChangeWriter) -> None:
    client, topic = {"bootstrap.servers": writer.bootstrap}, writer.topics.changes
    early, late = ([writer.goes(user, segment) for user in "abcdef"] for segment in (0, 1))
    writer.write(*early)
    reader = CommittedReader(client, [topic], from_beginning=True)
    with closing(reader):
        stuck, reader._silence = reader._consumer, impatient(reader, topic)
        found: list[bytes] = []

        def reads(records: int) -> bool:
            if (message := reader.poll(0.2)) is not None:
                found.append(message.key() or b"")
            return len(found) >= records and reader.has_reached(reader.ends())

        eventually(lambda: reads(6), "the early changes")
        stop_fetching(stuck, topic)
        writer.write(*late)
        eventually(lambda: reads(12), "the late changes")
        assert sorted(found) == sorted(change.user_id.encode() for change in early + late)
        assert reader._consumer is not stuck


@pytest.mark.parametrize("group", ["readers", None])
def test_a_subscriber(writer: ChangeWriter, group: str | None) -> None:
    topics = writer.topics
    early, late = ([writer.goes(user, segment) for user in "abcdef"] for segment in (0, 1))
    writer.write(*early)
    group = group and topics.prefix + group
    with closing(
        ChangeFeed(Subscription(writer.bootstrap, topic_prefix=topics.prefix, group=group, start="states"))
    ) as feed:
        found: list[Change] = []

        def takes(changes: int) -> bool:
            if (change := feed.take(0.2)) is not None:
                found.append(change)
            return len(found) >= changes

        eventually(lambda: takes(6), "the states")
        assert feed.take(1.0) is None  # which resumes the partitions
        source = feed._source
        stuck, source._silence = source._consumer, impatient(source, topics.changes)
        stop_fetching(stuck, topics.changes)
        writer.write(*late)
        eventually(lambda: takes(12), "the changes")
        made_anew = source._consumer
        for _ in range(5):
            assert feed.take(0.6) is None
        assert source._consumer is made_anew, "a quiet reader keeps its consumer"
        assert sorted(change.event_id for change in found) == sorted(
            change.event_id for change in early + late
        )
        assert made_anew is not stuck
