"""The changes, live: as a reader of their own, outside every group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaError, KafkaException, TopicPartition

from schemas.changes import Change
from schemas.errors import BadTopics
from schemas.wire import decode_change
from streamer.kafka_admin import Admin
from streamer.kafka_client import Reports, address, error_of, make_client, unreachable, why

_DEADLINE_S = 10.0
_POLL_S = 0.2


class Tail:
    """A committed reader of `segment-changes`, of all its partitions.

    Args:
        client: librdkafka's settings of a client.
        topic: the changes' name.
        from_beginning: start at the oldest change that Kafka has; else at what comes next.

    Raises:
        Unreachable: Kafka does not answer.
        BadTopics: there is no such topic.
    """

    def __init__(self, client: Mapping[str, str], topic: str, *, from_beginning: bool = False) -> None:
        self._topic = topic
        self._client = client
        self._reports = Reports()
        config = {
            **client,
            "group.id": "segue-tail",  # asked for by librdkafka; nothing is committed
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
        }
        self._consumer = make_client(Consumer, config, self._reports)
        try:
            self._assign(OFFSET_BEGINNING if from_beginning else OFFSET_END)
        except BaseException:
            self._consumer.close()
            raise

    def _assign(self, offset: int) -> None:
        found = Admin(self._client, _DEADLINE_S).describe([self._topic]).get(self._topic)
        if found is None:
            raise BadTopics(
                f"there is no topic {self._topic} at {address(self._client)}: `segue worker` makes it; or does"
                " topic_prefix name another?"
            )
        places = [TopicPartition(self._topic, partition, offset) for partition in range(found.partitions)]
        if offset == OFFSET_END:
            # Asked for now, not when the reader gets there: what is written from here on is read.
            places = [TopicPartition(self._topic, p.partition, self._high_watermark(p)) for p in places]
        self._consumer.assign(places)

    def _high_watermark(self, place: TopicPartition) -> int:
        try:
            _low, high = self._consumer.get_watermark_offsets(place, timeout=_DEADLINE_S)
        except KafkaException as error:
            task = f"tell the end of topic {self._topic}"
            raise unreachable(self._client, task, why(error_of(error), self._reports)) from None
        return int(high)

    def __iter__(self) -> Iterator[Change]:
        """The changes as they come, without end."""
        while True:
            change = self.next(_POLL_S)
            if change is not None:
                yield change

    def next(self, timeout_s: float) -> Change | None:
        """The next change, if one comes within the time.

        Raises:
            BadChange: a record is none that this version of Segue can read.
        """
        message = self._consumer.poll(timeout_s)
        if message is None:
            return None
        error = message.error()
        if error is not None:
            self._weigh(error)
            return None
        value = message.value()
        return None if value is None else decode_change(value)

    def _weigh(self, error: KafkaError) -> None:
        """A broker that restarts is waited for; what will not pass is told."""
        if error.code() in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC):  # noqa: SLF001
            raise BadTopics(f"the topic {self._topic} is gone: was it deleted?")
        if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            raise BadTopics(f"this login may not read {self._topic}: grant it READ")

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()
