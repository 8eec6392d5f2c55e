"""Kafka's present answers about its topics: ids, partition counts and offsets."""

import itertools
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

from confluent_kafka import (
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)

# Some of its public names are missing from its __all__.
from confluent_kafka.admin import AdminClient, ListOffsetsResultInfo, OffsetSpec, TopicDescription
from msgspec import Struct

from schemas.errors import BadTopics, Unreachable
from streamer.interfaces.lane_interfaces import Bounds
from streamer.kafka.kafka_client import (
    Reports,
    answered,
    error_of,
    is_passing,
    is_unknown,
    is_unsettled,
    make_client,
    unreachable,
)

Answer = TypeVar("Answer")

# How much later than librdkafka's own deadline a future may end.
_GRACE_S = 2.0
_RETRY_S = 0.05
_SETTLE_S = 2.0


class TopicFacts(Struct, frozen=True):
    """A topic's id and partition count; a topic that is created again under its name has another id."""

    topic_id: str
    partitions: int


class Admin:
    """An admin client with a deadline for each request.

    Every method raises :class:`schemas.errors.Unreachable` if Kafka does not answer.
    """

    def __init__(self, client: Mapping[str, str], request_s: float) -> None:
        self._client = client
        self._request_s = request_s
        self.reports = Reports()
        self._config = {"socket.timeout.ms": int(max(request_s, 1.0) * 1000), **client}
        self.kafka = make_client(AdminClient, self._config, self.reports)
        self._consumers: dict[str, Consumer] = {}

    def ask(self, names: Collection[str]) -> dict[str, Future[TopicDescription]]:
        """Begin to describe these topics, without waiting; :func:`facts_of` decodes an answer."""
        # Handle the client's events. Its log lines would otherwise pile up during an outage.
        self.kafka.poll(0)
        return self.kafka.describe_topics(TopicCollection(list(names)), request_timeout=self._request_s)

    def describe(self, names: Collection[str]) -> dict[str, TopicFacts]:
        """The facts of these topics, by name; a topic that does not exist is left out."""
        found = {}
        for name in names:
            task = f"describe topic {name}"
            try:
                found[name] = facts_of(self.asked(partial(self._ask_one, name), task))
            except KafkaException as error:
                if not is_unknown(error_of(error)):
                    raise self._no_answer(task, error) from None
        return found

    def _ask_one(self, name: str) -> Future[TopicDescription]:
        return self.ask([name])[name]

    def describe_settled(self, names: Collection[str], within_s: float = _SETTLE_S) -> dict[str, TopicFacts]:
        """The facts of these topics, by name; waits for unknown topics, because a new topic is known later.

        Args:
            names: the topics.
            within_s: how many seconds to wait for a topic that is not known.
        """
        end_s = time.monotonic() + min(within_s, self._request_s)
        while len(found := self.describe(names)) < len(set(names)) and time.monotonic() < end_s:
            self.kafka.poll(_RETRY_S)
        return found

    def topic(self, name: str) -> TopicFacts:
        """The facts of one topic.

        Raises:
            BadTopics: the topic does not exist.
        """
        facts = self.describe_settled([name]).get(name)
        if facts is None:
            raise missing([name])
        return facts

    def bounds(self, topic: str, partition: int, topic_id: str) -> Bounds:
        """A partition's first offset and its high watermark; open transactions do not lower the watermark."""
        begin = self.offset(topic, partition, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
        return Bounds(
            begin,
            self.offset(topic, partition, OffsetSpec.latest()),  # type: ignore[no-untyped-call]
            topic_id,
        )

    def stable_end(self, topic: str, partition: int) -> int:
        """The last stable offset: a reader of committed records can read up to here now."""
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        return self.offset(topic, partition, latest, IsolationLevel.READ_COMMITTED)

    def offset(
        self,
        topic: str,
        partition: int,
        spec: OffsetSpec,
        isolation: IsolationLevel = IsolationLevel.READ_UNCOMMITTED,
    ) -> int:
        """One of a partition's offsets; below 0 if there is no such offset.

        Args:
            topic: the topic's name.
            partition: the partition.
            spec: which offset, for example the earliest or the latest.
            isolation: READ_COMMITTED gives the last stable offset as the latest.
        """
        task = f"return the offsets of topic {topic}, partition {partition}"
        where = TopicPartition(topic, partition)
        tries = itertools.count()

        def ask() -> Future[ListOffsetsResultInfo]:
            if next(tries):
                # Otherwise librdkafka may answer from its cache, for minutes, that no partition has a leader.
                # This asks for all topics, because to ask for one may create it.
                self.kafka.list_topics(timeout=self._request_s)
            return self.kafka.list_offsets(
                {where: spec}, isolation_level=isolation, request_timeout=self._request_s
            )[where]

        try:
            # Some brokers learn the leader of a new topic later than others.
            return int(self.asked(ask, task, is_unsettled).offset)
        except KafkaException as error:
            raise self._no_answer(task, error) from None

    def committed(self, group: str, places: Sequence[TopicPartition]) -> list[TopicPartition]:
        """The group's committed offsets, by topic and partition; below 0 if there is none."""
        try:
            found = self.offsets_of(group, places)
            for at in found:
                if at.error is not None:
                    raise KafkaException(at.error)
        except KafkaException as error:
            raise self._no_answer(f"return the offsets of the group {group}", error) from None
        return sorted(found, key=lambda at: (at.topic, at.partition))

    def offsets_of(self, group: str, places: Sequence[TopicPartition]) -> list[TopicPartition]:
        """The group's committed offsets as Kafka answers, with an error where it refuses a partition.

        A consumer asks, which does not join the group. To an admin client, a coordinator that has moved is
        fatal: librdkafka's rd_kafka_handle_OffsetFetch crashes without a consumer. And after a hang of Kafka,
        an admin client may never find the coordinator again.

        Raises:
            KafkaException: there is no answer, or this login may not read the group.
        """
        consumer = self._consumers.get(group)
        if consumer is None:
            config = {**self._config, "group.id": group, "isolation.level": "read_uncommitted"}
            consumer = self._consumers[group] = make_client(Consumer, config, self.reports)
        try:
            return answered(lambda: consumer.committed(list(places), self._request_s), self._request_s)
        finally:
            consumer.poll(0)  # as in `ask`

    def asked(
        self,
        ask: Callable[[], Future[Answer]],
        task: str,
        passes: Callable[[KafkaError], bool] = is_passing,
    ) -> Answer:
        """Kafka's answer to a request; retries after errors that pass by themselves.

        Args:
            ask: begins the request.
            task: a name of the request, for the error message "Kafka did not ...".
            passes: whether to retry after this error.

        Raises:
            KafkaException: Kafka answered with a refusal.
        """
        try:
            return answered(lambda: self._in_time(ask(), task), self._request_s, passes)
        except KafkaException as error:
            if passes(error_of(error)):
                raise self._no_answer(task, error) from None
            raise

    def _in_time(self, future: Future[Answer], task: str) -> Answer:
        try:
            return future.result(self._request_s + _GRACE_S)
        except TimeoutError:
            self.kafka.poll(0)
            raise unreachable(self._client, task, self.reports) from None

    def _no_answer(self, task: str, error: KafkaException) -> Unreachable:
        self.kafka.poll(0)
        return unreachable(self._client, task, self.reports, error_of(error))


def facts_of(description: TopicDescription) -> TopicFacts:
    """The facts in a topic's description."""
    return TopicFacts(str(description.topic_id), len(description.partitions))


def missing(names: Iterable[str]) -> BadTopics:
    """The error for topics that do not exist."""
    several = list(names)
    them = "topics {} do not exist" if len(several) > 1 else "topic {} does not exist"
    return BadTopics(
        f"{them.format(', '.join(several))}: `segue worker` or `segue bootstrap` makes what is missing, or"
        " correct the setting topic_prefix"
    )
