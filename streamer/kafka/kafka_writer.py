"""The writing side of a lane: one transactional producer, whose start fences its predecessor.

Whatever goes wrong, the producer is given up: a transaction that may be open is aborted where the broker
answers in time, and else ended by the next producer with the same id.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition

from schemas.errors import BadTopics
from schemas.partitioner import Partitioner, librdkafka_name
from streamer.interfaces.lane_errors import Fenced, InDoubt, LaneClosing
from streamer.interfaces.lane_interfaces import OutRecord
from streamer.kafka.kafka_client import (
    Config,
    Deadlines,
    Reports,
    address,
    error_of,
    is_fenced,
    is_unknown,
    log,
    make_client,
    unreachable,
    why,
)

# In between it looks whether the lane is to close, and says that it waits.
_WAIT_S = 1.0
_RETRY_S = 0.1
# How long a call may take beyond its own timeout and that of the request on which it waits.
_GRACE_S = 1.0

_TOO_LARGE = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE})

# What a user of the library may set otherwise.
_DEFAULTS: Config = {
    "linger.ms": 0,
    # A commit's markers are still being written when the next transaction begins, which the broker refuses
    # once; by default librdkafka waits 100 ms then, and a transaction back to back takes 106 ms instead of 4.
    "retry.backoff.ms": 1,
    "reconnect.backoff.max.ms": 1_000,
    # Headers and the framing come on top of a dead letter of 4 MB.
    "message.max.bytes": 5 * 1024 * 1024,
    # Per lane; a fuller queue is waited for.
    "queue.buffering.max.kbytes": 64 * 1024,
    "topic.metadata.propagation.max.ms": 10_000,
}


class Writer:
    """One lane's producer."""

    def __init__(
        self,
        transactional_id: str,
        client: Mapping[str, str],
        partitioner: Partitioner,
        deadlines: Deadlines,
        closing: Callable[[], bool],
    ) -> None:
        self._client = client
        self._deadlines = deadlines
        self._closing = closing
        self._config: Config = {
            "socket.timeout.ms": int(max(deadlines.request_s, 1.0) * 1000),
            **_DEFAULTS,
            **client,
            "transactional.id": transactional_id,
            "transaction.timeout.ms": deadlines.transaction_ms,
            "partitioner": librdkafka_name(partitioner),
        }
        self._reports = Reports()
        self._producer: Producer | None = None

    def fence(self) -> None:
        """Start a producer; whoever had its transactional id before can write no more.

        Raises:
            Fenced: another one did the same at the same time.
            LaneClosing: the lane is to close.
            Unreachable: no coordinator answered in time.
        """
        self.give_up()
        self._producer = producer = make_client(Producer, self._config, self._reports)
        end_s = time.monotonic() + self._deadlines.fence_s
        try:
            self._until(end_s, "start its producer", producer, producer.init_transactions)
        except KafkaException as raised:
            self.give_up()
            error = error_of(raised)
            if is_fenced(error):
                raise Fenced("another producer of this lane was started at the same time") from None
            raise unreachable(self._client, "start a producer", self._reports, error) from None
        except BaseException:
            self.give_up()
            raise

    def commit(
        self, records: Sequence[OutRecord], offsets: list[TopicPartition], group_metadata: Any
    ) -> dict[str, int]:
        """One transaction of these records and offsets.

        Args:
            records: what to write.
            offsets: of the group; none commits the records alone.
            group_metadata: of the consumer whose group it is; None without offsets.

        Returns:
            By topic with an explicit partition, the offset after the last record written.

        Raises:
            Fenced: another producer has taken the lane.
            InDoubt: it failed, or whether it did is not known.
            BadTopics: a topic is not there, or refuses records of such a size.
            LaneClosing: the broker does not answer, and the lane is to close.
        """
        producer = self._producer
        if producer is None:
            raise InDoubt("the lane's producer was given up and is not started yet")
        end_s = time.monotonic() + self._deadlines.commit_s
        written = _Written()
        try:
            producer.begin_transaction()
            for record in records:
                _produce(producer, record, written, end_s)

            def send_offsets(timeout_s: float) -> None:
                overdue_s = timeout_s + self._deadlines.request_s + _GRACE_S
                args = offsets, group_metadata, timeout_s
                if not _returns_within(overdue_s, lambda: producer.send_offsets_to_transaction(*args)):
                    raise InDoubt(
                        "the transaction failed, or whether it did is not known: no answer on the offsets from"
                        f" Kafka at {address(self._client)}"
                    )

            if offsets:
                self._until(end_s, "take offsets", producer, send_offsets)
            self._until(end_s, "commit", producer, producer.commit_transaction)
        except KafkaException as raised:
            if written.failure is None and error_of(raised).txn_requires_abort():
                # The report that tells the cause may come just after the transaction's error.
                with suppress(KafkaException):
                    producer.poll(_RETRY_S)
            failed = _failed(error_of(raised), written, self._reports)  # an abort adds reports of its own
            self._abort(producer)
            raise failed from None
        except BaseException:
            self._abort(producer)
            raise
        return written.next_offsets

    def give_up(self) -> None:
        """Let go of the producer; does not wait for the broker."""
        producer, self._producer = self._producer, None
        if producer is not None:
            # Callbacks of records under way would keep it alive; `close` would wait for the broker for ever.
            producer.purge()
            with suppress(KafkaException):  # it says once more why the producer is of no use
                producer.flush(_RETRY_S)

    def _abort(self, producer: Producer) -> None:
        """End the transaction if that goes quickly, so that readers need not wait for its timeout."""
        try:
            producer.abort_transaction(self._deadlines.abort_s)
        except KafkaException as error:
            log.info("transaction is left to the next producer", reason=error_of(error).str())
        self.give_up()

    def _until(self, end_s: float, task: str, producer: Producer, call: Callable[[float], None]) -> None:
        """Call again while the error says that this may help and there is time."""
        said = False
        while True:
            try:
                return call(max(_RETRY_S, min(_WAIT_S, end_s - time.monotonic())))
            except KafkaException as raised:
                error = error_of(raised)
                if not error.retriable() or error.txn_requires_abort() or time.monotonic() >= end_s:
                    raise
            if self._closing():
                raise LaneClosing
            producer.poll(_RETRY_S)
            if not said:
                said = True
                log.warning(
                    "kafka lets the lane wait",
                    to=task,
                    brokers=address(self._client),
                    reason=why(error, self._reports),
                )


class _Written:
    """What the delivery reports tell of one transaction."""

    __slots__ = ("failure", "next_offsets")

    def __init__(self) -> None:
        self.next_offsets: dict[str, int] = {}
        self.failure: tuple[KafkaError, OutRecord] | None = None

    def report(self, record: OutRecord) -> Callable[[KafkaError | None, Message], None]:
        """The callback for one record."""

        def delivered(error: KafkaError | None, message: Message) -> None:
            offset = message.offset()
            if error is not None:
                self.failure = self.failure or (error, record)
            elif record.partition is not None and offset is not None:
                self.next_offsets[record.topic] = max(self.next_offsets.get(record.topic, 0), offset + 1)

        return delivered


def _returns_within(seconds: float, call: Callable[[], None]) -> bool:
    """Make a call that may never return; its thread is left behind then, and its producer with it.

    librdkafka forgets the timeout of ``send_offsets_to_transaction`` while it waits for the group's coordinator
    (https://github.com/confluentinc/librdkafka/issues/5456), and waits for ever for one that was missing from the
    metadata for a moment, as a broker is that restarts (issue 5511).
    """
    returned: Future[None] = Future()

    def run() -> None:
        try:
            call()
        except BaseException as error:  # noqa: BLE001 - raised where the result is asked for
            returned.set_exception(error)
        else:
            returned.set_result(None)

    threading.Thread(target=run, name=f"{threading.current_thread().name}-offsets", daemon=True).start()
    try:
        returned.result(seconds)
    except TimeoutError:
        return False
    return True


def _produce(producer: Producer, record: OutRecord, written: _Written, end_s: float) -> None:
    while True:
        try:
            return producer.produce(
                record.topic,
                record.value,
                record.key,
                partition=-1 if record.partition is None else record.partition,
                on_delivery=written.report(record),
                headers=list(record.headers),
            )
        except BufferError:
            if time.monotonic() >= end_s:
                raise InDoubt("the producer's queue stays full: the broker takes no records") from None
            producer.poll(_RETRY_S)
        except KafkaException as raised:
            written.failure = written.failure or (error_of(raised), record)
            raise


def _failed(error: KafkaError, written: _Written, reports: Reports) -> Exception:
    """What a failed transaction means to the lane."""
    cause, record = written.failure or (error, None)
    if is_fenced(error) or is_fenced(cause):
        return Fenced("another producer has taken this lane, or it did nothing for longer than a transaction")
    if record is not None and cause.code() in _TOO_LARGE:
        size = len(record.key or b"") + len(record.value or b"")
        return BadTopics(
            f"topic {record.topic} refuses a record of {size} bytes: set its max.message.bytes to 5242880"
        )
    if record is not None and is_unknown(cause):
        return BadTopics(
            f"topic {record.topic} does not exist, or has no partition {record.partition}: create it (`segue"
            " doctor` names all that are needed)"
        )
    return InDoubt(f"the transaction failed, or whether it did is not known: {why(cause, reports)}")
