"""The topic of releases, as its one writer at a time sees it: made when missing, written in transactions."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicCollection,
    TopicPartition,
)

# Some of its public names are missing from its __all__.
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic  # type: ignore[attr-defined]

from schemas.errors import BadRelease, BadSetting, BadTopics, LoginRefused, SegueError, Unreachable
from schemas.headers import Headers
from schemas.topics import Topics, topic_configs

Answer = TypeVar("Answer")
Record = tuple[str, bytes, Headers]

# A coordinator that has only just started reads its log first; between two tries ctrl-C is heard.
_TRANSACTION_S = 120.0
_TRY_S = 1.0
_ABORT_S = 5.0
_POLL_S = 0.2
_LOGIN = (
    KafkaError._AUTHENTICATION,  # noqa: SLF001 - librdkafka's own codes have a dash
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
)
# A cluster that has only just started, which may also still keep its brokers fenced.
_NOT_YET = (
    KafkaError._TIMED_OUT,  # noqa: SLF001 - as above
    KafkaError._TRANSPORT,  # noqa: SLF001 - as above
    KafkaError.NOT_CONTROLLER,
    KafkaError.REQUEST_TIMED_OUT,
)
_GRACE_S = 2.0  # how long a future may lag behind the deadline that librdkafka itself keeps
_OVERHEAD_BYTES = 4_096  # a record's key, headers and framing, and the batch's


class ModelsTopic:
    """``segment-models`` of one Kafka.

    Every method raises :class:`~schemas.errors.Unreachable` where Kafka does not answer in ``deadline_s``
    or refuses the login.
    """

    def __init__(self, bootstrap: str, topics: Topics, client: Mapping[str, Any], deadline_s: float) -> None:
        """Connect to nothing yet.

        Raises:
            BadSetting: librdkafka cannot use the client's settings.
        """
        self._bootstrap = bootstrap
        self._topic = topics.models
        self._config = topic_configs(topics)[topics.models]
        self._deadline_s = deadline_s
        self._last_report: KafkaError | None = None
        self._client = {
            **client,
            "bootstrap.servers": bootstrap,
            "error_cb": self._report,
            # What matters of librdkafka's log comes through error_cb; stderr belongs to the command.
            "log_level": 0,
        }

    @property
    def max_value_bytes(self) -> int:
        """The largest value that fits into a record."""
        return int(self._config["max.message.bytes"]) - _OVERHEAD_BYTES

    def ensure(self) -> None:
        """Make the topic when it is missing.

        Raises:
            BadTopics: it exists with more than one partition or is not compacted.
        """
        admin = self._admin()
        partitions = self._partitions(admin)
        if partitions is None:
            self._create(admin)
            return
        if partitions != 1:
            raise BadTopics(
                f"topic {self._topic} has {partitions} partitions, but activations are numbered by "
                "the offset in one: delete the topic and publish again, or use another topic_prefix"
            )
        self._check_compacted(admin)

    def read(self) -> list[Message]:
        """All committed records, oldest first; none where there is no topic."""
        if self._partitions(self._admin()) is None:
            return []
        consumer = Consumer(
            {
                **self._client,
                "group.id": "segue-reader",  # asked for by librdkafka; nothing is committed
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                # The end of the topic is told by an answer without records, which a broker keeps back for so long.
                "fetch.wait.max.ms": 10,
            }
        )
        # Without the topic's leader librdkafka asks, and asks again half a second later. A failure shows while polling.
        with suppress(KafkaException):
            consumer.list_topics(self._topic, self._deadline_s)
        consumer.assign([TopicPartition(self._topic, 0, OFFSET_BEGINNING)])
        try:
            return self._to_the_end(consumer)
        finally:
            consumer.close()

    def _to_the_end(self, consumer: Consumer) -> list[Message]:
        found: list[Message] = []
        end_s = time.monotonic() + self._deadline_s
        while time.monotonic() < end_s:
            message = consumer.poll(_POLL_S)
            error = None if message is None else message.error()
            if message is not None and error is None:
                found.append(message)
            elif error is not None and error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - as below
                return found
            elif error is not None and error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
                raise BadTopics(f"this login may not read {self._topic}: grant it READ")
        raise self._unreachable(f"give topic {self._topic} to its end", self._last_report)

    def write(self, records: list[Record], check: Callable[[], None] = lambda: None) -> list[int]:
        """Write the records in one transaction and give their offsets, in order.

        Args:
            records: key, value and headers of each.
            check: called when no earlier writer can commit any more; what it raises ends the writing.

        Raises:
            BadRelease: a value does not fit into a record of the topic.
            BadTopics: the topic takes smaller records than it should.
        """
        for key, value, _ in records:
            if len(value) > self.max_value_bytes:
                raise BadRelease(
                    f"release {key} has {len(value):,} bytes, and a record at most {self.max_value_bytes:,}: train "
                    "with label or frequency encoding, or with fewer components"
                )
        config = {
            **self._client,
            "transactional.id": f"{self._topic}-publisher",
            "partitioner": "murmur2_random",
            "message.max.bytes": self._config["max.message.bytes"],
        }
        try:
            producer = Producer(config)
        except KafkaException as error:
            raise self._bad_client(error) from None
        try:
            _until_done(producer.init_transactions)
            check()
            producer.begin_transaction()
        except KafkaException as error:
            raise self._refused(error, "begin a transaction") from None
        return self._commit(producer, records)

    def _commit(self, producer: Producer, records: list[Record]) -> list[int]:
        offsets: dict[str, int] = {}

        def delivered(error: KafkaError | None, message: Message) -> None:
            key, offset = message.key(), message.offset()
            if error is None and isinstance(key, bytes) and offset is not None:
                offsets[key.decode()] = offset

        try:
            for key, value, headers in records:
                producer.produce(
                    self._topic, value, key.encode(), headers=list(headers), on_delivery=delivered
                )
            _until_done(producer.commit_transaction)
        except KafkaException as error:
            # A transaction left open would hold back every reader until it times out.
            with suppress(KafkaException):
                producer.abort_transaction(_ABORT_S)
            raise self._not_committed(error) from None
        return [offsets[key] for key, _, _ in records]

    def _admin(self) -> AdminClient:
        try:
            return AdminClient(self._client)
        except KafkaException as error:
            raise self._bad_client(error) from None

    def _partitions(self, admin: AdminClient) -> int | None:
        """How many the topic has; None where there is no topic."""
        wanted = TopicCollection([self._topic])
        try:
            described = self._wait(admin, admin.describe_topics(wanted, request_timeout=self._deadline_s))
        except KafkaException as error:
            if _error(error).code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                return None
            raise self._refused(error, f"describe topic {self._topic}") from None
        return len(described.partitions)

    def _create(self, admin: AdminClient) -> None:
        # -1: as many replicas as the broker's default says.
        topic = NewTopic(self._topic, num_partitions=1, replication_factor=-1, config=self._config)
        try:
            self._wait(admin, admin.create_topics([topic], request_timeout=self._deadline_s))
        except KafkaException as error:
            told = _error(error)
            if told.code() in _NOT_YET or told.code() in _LOGIN or "fenced" in told.str():
                raise self._refused(error, f"create topic {self._topic}") from None
            if told.code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise BadTopics(f"topic {self._topic} cannot be made: {told.str()}") from None

    def _check_compacted(self, admin: AdminClient) -> None:
        resource = ConfigResource(ConfigResource.Type.TOPIC, self._topic)
        try:
            config = self._wait(admin, admin.describe_configs([resource], request_timeout=self._deadline_s))
        except KafkaException as error:
            raise self._refused(error, f"describe the configuration of topic {self._topic}") from None
        policy = config["cleanup.policy"].value
        if policy != "compact":
            raise BadTopics(
                f"topic {self._topic} has cleanup.policy={policy}, which deletes releases after a time: set it to "
                "compact (kafka-configs --alter)"
            )

    def _wait(self, admin: AdminClient, asked: Mapping[Any, Future[Answer]]) -> Answer:
        """The one answer that was asked for."""
        (future,) = asked.values()
        try:
            return future.result(self._deadline_s + _GRACE_S)
        except TimeoutError:
            raise self._unreachable("answer", self._last_report) from None
        finally:
            admin.poll(0)  # brings what the connection reported

    def _report(self, error: KafkaError) -> None:
        # This one follows every failed connection and hides the one that says why.
        if error.code() != KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001 - librdkafka's own codes have a dash
            self._last_report = error

    def _refused(self, error: KafkaException, task: str) -> SegueError:
        told = _error(error)
        timed_out = told.code() in (KafkaError._TIMED_OUT, KafkaError._TRANSPORT)  # noqa: SLF001 - as above
        reason = (timed_out and self._last_report) or told
        return self._unreachable(task, reason)

    def _not_committed(self, error: KafkaException) -> SegueError:
        told = _error(error)
        if told.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            return BadTopics(
                f"topic {self._topic} does not take a record of this size: set its max.message.bytes to "
                f"{self._config['max.message.bytes']} (kafka-configs --alter)"
            )
        if told.code() in (KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH):  # noqa: SLF001 - as above
            return Unreachable(
                f"another publisher to topic {self._topic} took over: nothing was published here; look at what it "
                "published, then publish again"
            )
        if told.txn_requires_abort():
            return self._refused(error, "take the release, so nothing was published")
        return Unreachable(
            f"Kafka at {self._bootstrap} did not say whether the release was committed ({told.str()}): publish it "
            "again, which does no harm"
        )

    def _unreachable(self, task: str, reason: KafkaError | None) -> Unreachable:
        kind = LoginRefused if reason is not None and reason.code() in _LOGIN else Unreachable
        return kind(
            f"Kafka at {self._bootstrap} did not {task}{f' ({reason.str()})' if reason else ''}: check the address, "
            "the login and that the broker runs"
        )

    def _bad_client(self, error: KafkaException) -> BadSetting:
        return BadSetting(
            "kafka", self._bootstrap, f"Kafka's client refuses its settings: {_error(error).str()}"
        )


def _until_done(step: Callable[[float], None]) -> None:
    """Take a step of a transaction, and go on with it while it has only not ended yet."""
    end_s = time.monotonic() + _TRANSACTION_S
    while True:
        try:
            return step(_TRY_S)
        except KafkaException as error:
            if not _error(error).retriable() or time.monotonic() >= end_s:
                raise


def _error(error: KafkaException) -> KafkaError:
    told = error.args[0]
    assert isinstance(told, KafkaError)
    return told
