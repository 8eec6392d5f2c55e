"""Reads whole topics as a committed reader of its own, outside every group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    Message,
    TopicPartition,
)

from schemas.errors import BadTopics
from segue.connect import wait_for_servers
from segue.connect.wait_for_servers import Wait
from streamer.interfaces.lane_errors import InDoubt
from streamer.kafka.kafka_admin import Admin
from streamer.kafka.kafka_client import Deadlines, Reports, address, make_client
from streamer.kafka.kafka_watch import TopicWatch

_DEADLINE_S = 10.0
# How often it asks, while it reads, whether Kafka answers.
_CHECK_S = 3.0
_GONE = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC)  # noqa: SLF001 - librdkafka's own code
_END_REACHED = KafkaError._PARTITION_EOF  # noqa: SLF001

Ends = Mapping[tuple[str, int], int]
"""By topic and partition, the offset after the last record."""


class CommittedReader:
    """All partitions of some topics; what a transaction aborted is never seen. Kafka is waited for, visibly.

    Args:
        client: librdkafka's settings of a client.
        from_beginning: start at the oldest records; else with what is written after this returns.

    Raises:
        Unreachable: Kafka does not answer.
        BadTopics: a topic does not exist.
    """

    def __init__(self, client: Mapping[str, str], topics: Sequence[str], *, from_beginning: bool) -> None:
        self._client = client
        self._reports = Reports()
        self._wait = Wait(f"Kafka at {address(client)}")
        self._admin = Admin(client, _DEADLINE_S)
        self._watch = TopicWatch(
            self._admin,
            client,
            Deadlines(check_s=_CHECK_S, outage_s=wait_for_servers.PATIENCE_S),
            on_silence=lambda reason: self._wait.lasts(reason, at_once=True),
            on_answer=self._wait.over,
        )
        config = {
            **client,
            "group.id": "segue-reader",  # asked for by librdkafka; nothing is committed
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 50,
        }
        self._places = self._wait.until_answered(lambda: self._partitions(topics))
        self._reached = dict.fromkeys(self._places, 0)
        if not from_beginning:
            self._reached = dict(self.ends())
        self._consumer = make_client(Consumer, config, self._reports)
        self._consumer.assign(
            [
                TopicPartition(topic, partition, OFFSET_BEGINNING if from_beginning else offset)
                for (topic, partition), offset in self._reached.items()
            ]
        )

    def _partitions(self, topics: Sequence[str]) -> list[tuple[str, int]]:
        found = self._admin.describe(topics)
        for topic in topics:
            if topic not in found:
                raise BadTopics(
                    f"there is no topic {topic} at {address(self._client)}: `segue worker` makes it; or does"
                    " topic_prefix name another?"
                )
            self._watch.expect(topic, found[topic])
        return [(topic, partition) for topic in topics for partition in range(found[topic].partitions)]

    def ends(self) -> Ends:
        """Where each partition ends now.

        Raises:
            Unreachable: Kafka does not answer.
        """
        return self._wait.until_answered(
            lambda: {place: self._admin.stable_end(*place) for place in self._places}
        )

    def poll(self, timeout_s: float) -> Message | None:
        """The next record, if one comes within the time; a broker that restarts is waited for.

        Raises:
            BadTopics: a topic was deleted, or this login may not read it.
            Unreachable: Kafka has not answered for as long as anybody waits.
        """
        try:
            self._watch.look()
        except InDoubt as doubt:
            raise BadTopics(f"{doubt}: start the same again") from None
        message = self._consumer.poll(timeout_s)
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
        return None

    def has_reached(self, ends: Ends) -> bool:
        """Whether everything before these offsets has been read; markers of transactions leave gaps."""
        return all(self._reached[place] >= end for place, end in ends.items())

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()

    def _note(self, message: Message, step: int) -> None:
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        assert topic is not None
        assert partition is not None
        assert offset is not None
        self._reached[topic, partition] = offset + step
