"""Topics for one test on a real Kafka, lanes' logs over them, and an independent reader."""

from __future__ import annotations

import time
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.topics import Topics, topic_configs
from streamer.interfaces.lane_interfaces import OutRecord, Record
from streamer.kafka.kafka_client import Deadlines
from streamer.kafka.kafka_log import KafkaLog
from tests.support.checks.read_records import KafkaRecord, read_topic
from tests.support.servers.services import HANG_S, eventually
from tests.support.servers.topic_admin import create_patiently

LANE = 1
PARTITIONS = 3
QUICK = Deadlines(check_s=0.2, abort_s=1)


class LaneLogs:
    """The topics of one prefix, and the open logs of lanes."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.client = {"bootstrap.servers": bootstrap}
        self.topics = Topics(prefix)
        self.group = f"{prefix}group"
        self._stack = ExitStack()
        self.admin = AdminClient({**self.client, "log_level": 0})

    def __enter__(self) -> Self:
        self.make(*topic_configs(self.topics))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def make(self, *names: str, config: dict[str, str] | None = None) -> None:
        """Create topics, and wait until the broker knows them."""
        configs = topic_configs(self.topics)
        wanted = [NewTopic(name, PARTITIONS, 1, config=config or configs.get(name, {})) for name in names]
        create_patiently(self.client["bootstrap.servers"], wanted)
        with Consumer({**self.client, "group.id": "look", "log_level": 0}) as consumer:
            for name in names:
                while len(consumer.list_topics(name, timeout=HANG_S).topics[name].partitions) < PARTITIONS:
                    pass

    def delete(self, *names: str) -> None:
        for gone in self.admin.delete_topics(list(names), request_timeout=HANG_S).values():
            gone.result(HANG_S)
        # The controller answers before its broker knows.
        eventually(
            lambda: not self.admin.list_topics(timeout=HANG_S).topics.keys() & set(names), "they are gone"
        )

    def open(self, deadlines: Deadlines = QUICK, partition: int = LANE, **options: Any) -> KafkaLog:
        """Open a lane's log; the end of the context closes it."""
        client = {**self.client, **options.pop("client", {})}
        log = KafkaLog(partition, self.topics.inputs, self.group, client, deadlines=deadlines, **options)
        self._stack.callback(log.close)
        return log

    def taken(self, deadlines: Deadlines = QUICK, **options: Any) -> KafkaLog:
        """Open a log and do the steps of a takeover: fence it, and watch the inputs."""
        log = self.open(deadlines, **options)
        log.fence()
        for topic in self.topics.inputs:
            log.watch(topic)
        return log

    def send(self, topic: str, *values: bytes, key: bytes = b"k", transactional: bool = False) -> None:
        """Write records to the lane's partition with another producer; a transaction adds a marker."""
        config: dict[str, Any] = {
            **self.client,
            "enable.idempotence": True,  # else a request that is tried again may overtake another
            "message.max.bytes": 5_000_000,
            "log_level": 0,
        }
        if transactional:
            config["transactional.id"] = f"{self.group}-somebody"
        producer = Producer(config)
        if transactional:
            producer.init_transactions(HANG_S)
            producer.begin_transaction()
        for value in values:
            producer.produce(topic, value, key, partition=LANE)
        if transactional:
            producer.commit_transaction(HANG_S)
        assert producer.flush(HANG_S) == 0

    def stable_end(self, topic: str) -> int:
        """Return the last stable offset: a reader of committed records reads up to it."""
        config = {**self.client, "group.id": "seen", "isolation.level": "read_committed", "log_level": 0}
        with Consumer(config) as consumer:
            _, end = consumer.get_watermark_offsets(TopicPartition(topic, LANE), 10, cached=False)
            return end

    def seen(self, topic: str, partition: int = LANE, isolation: str = "read_committed") -> list[KafkaRecord]:
        """Read a whole partition with an independent reader."""
        return read_topic(self.client["bootstrap.servers"], topic, [partition], isolation=isolation)


def read_to(log: KafkaLog, ends: dict[str, int], batch: int = 100) -> list[Record]:
    """Poll until the log has reached these ends; return the records."""
    records: list[Record] = []
    end_s = time.monotonic() + HANG_S
    while not log.at_end(ends):
        assert time.monotonic() < end_s, f"{ends} not passed; {len(records)} records came"
        records.extend(log.poll(batch, 0.5))
    return records


def out(topic: str, value: bytes | None, key: bytes = b"7", partition: int | None = LANE) -> OutRecord:
    """Return a record for the lane to write, with a header."""
    return OutRecord(topic, key, value, (("ce_id", b"1"),), partition)
