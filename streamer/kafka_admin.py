"""What Kafka says of its topics, now: ids, partition counts and offsets."""

import time
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import Future
from typing import TypeVar

from confluent_kafka import IsolationLevel, KafkaException, TopicCollection, TopicPartition

# Some of its public names are missing from its __all__.
from confluent_kafka.admin import AdminClient, ListOffsetsResultInfo, OffsetSpec, TopicDescription  # type: ignore[attr-defined]
from msgspec import Struct

from schemas.errors import BadTopics, Unreachable
from streamer.interfaces import Bounds
from streamer.kafka_client import Reports, error_of, is_passing, is_unknown, make_client, unreachable, why

Answer = TypeVar("Answer")

# How long a future may lag behind the deadline that librdkafka itself keeps.
_GRACE_S = 2.0
_RETRY_S = 0.05
_SETTLE_S = 2.0


class TopicFacts(Struct, frozen=True):
    """A topic as the cluster knows it; made anew under the same name it has another id."""

    topic_id: str
    partitions: int


class Admin:
    """An admin client with a deadline on each question.

    Every method raises :class:`schemas.errors.Unreachable` where Kafka does not answer.
    """

    def __init__(self, client: Mapping[str, str], request_s: float) -> None:
        self._client = client
        self._request_s = request_s
        self.reports = Reports()
        config = {"socket.timeout.ms": int(max(request_s, 1.0) * 1000), **client}
        self.kafka = make_client(AdminClient, config, self.reports)

    def ask(self, names: Collection[str]) -> dict[str, Future[TopicDescription]]:
        """Begin to describe these topics, without waiting; see :func:`facts_of`."""
        # Serves what the client has to say, its log above all, which would pile up during an outage.
        self.kafka.poll(0)
        return self.kafka.describe_topics(TopicCollection(list(names)), request_timeout=self._request_s)

    def describe(self, names: Collection[str]) -> dict[str, TopicFacts]:
        """Those of these topics that exist."""
        found = {}
        for name, future in self.ask(names).items():
            task = f"describe topic {name}"
            try:
                found[name] = facts_of(self.answer(future, task))
            except KafkaException as error:
                if not is_unknown(error_of(error)):
                    raise self._no_answer(task, error) from None
        return found

    def describe_settled(self, names: Collection[str]) -> dict[str, TopicFacts]:
        """Those of these topics that exist; a broker knows a topic only a moment after it was made."""
        end_s = time.monotonic() + min(_SETTLE_S, self._request_s)
        while len(found := self.describe(names)) < len(set(names)) and time.monotonic() < end_s:
            self.kafka.poll(_RETRY_S)
        return found

    def topic(self, name: str) -> TopicFacts:
        """One topic.

        Raises:
            BadTopics: it does not exist.
        """
        facts = self.describe_settled([name]).get(name)
        if facts is None:
            raise missing([name])
        return facts

    def bounds(self, topic: str, partition: int, topic_id: str) -> Bounds:
        """A partition's first offset and high watermark, which open transactions do not hold back."""
        task = f"tell the offsets of topic {topic}, partition {partition}"
        end_s = time.monotonic() + self._request_s
        while True:
            try:
                begin, end = (
                    self._in_time(asked, task).offset for asked in self._ask_offsets(topic, partition)
                )
                return Bounds(begin, end, topic_id)
            except KafkaException as error:
                # The leader of a topic just made is not known to all brokers at once.
                passing = is_passing(error_of(error)) or is_unknown(error_of(error))
                if not passing or time.monotonic() >= end_s:
                    raise self._no_answer(task, error) from None
            self.kafka.poll(_RETRY_S)

    def _ask_offsets(self, topic: str, partition: int) -> list[Future[ListOffsetsResultInfo]]:
        where = TopicPartition(topic, partition)
        return [
            self.kafka.list_offsets(
                {where: spec},
                isolation_level=IsolationLevel.READ_UNCOMMITTED,
                request_timeout=self._request_s,
            )[where]
            for spec in (OffsetSpec.earliest(), OffsetSpec.latest())  # type: ignore[no-untyped-call]
        ]

    def answer(self, future: Future[Answer], task: str) -> Answer:
        """What a future brings, in time; ``task`` says what was asked, for the message.

        Raises:
            KafkaException: Kafka answered, and refuses.
        """
        try:
            return self._in_time(future, task)
        except KafkaException as error:
            if is_passing(error_of(error)):
                raise self._no_answer(task, error) from None
            raise

    def _in_time(self, future: Future[Answer], task: str) -> Answer:
        try:
            return future.result(self._request_s + _GRACE_S)
        except TimeoutError:
            raise unreachable(self._client, task, self.reports.last) from None

    def _no_answer(self, task: str, error: KafkaException) -> Unreachable:
        self.kafka.poll(0)
        return unreachable(self._client, task, why(error_of(error), self.reports))


def facts_of(description: TopicDescription) -> TopicFacts:
    """What we need of a description."""
    return TopicFacts(str(description.topic_id), len(description.partitions))


def missing(names: Iterable[str]) -> BadTopics:
    """The error for topics that are not there."""
    return BadTopics(
        f"topic {', '.join(names)} does not exist: create it (`segue doctor` names all that are needed), or"
        " correct the setting topic_prefix"
    )
