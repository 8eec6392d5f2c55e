"""The writing side of a lane: one transactional producer; its start fences the former producer.

After any failure, the producer is given up. If the broker answers in time, an open transaction is aborted.
Else the next producer with the same id ends it.
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

# After this time without success, a call checks whether the lane must close, and logs that it waits.
_WAIT_S = 1.0
_RETRY_S = 0.1
# How much longer a call may take than its own timeout and its request's timeout together.
_GRACE_S = 1.0

_TOO_LARGE = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE})

# The client's settings may override these.
_DEFAULTS: Config = {
    "linger.ms": 0,
    # When the next transaction begins, the broker still writes the markers of the last commit, and refuses
    # once. By default librdkafka then waits 100 ms, so the next transaction takes 106 ms instead of 4.
    "retry.backoff.ms": 1,
    "reconnect.backoff.max.ms": 1_000,
    # A dead letter has up to 4 MB, plus headers and framing.
    "message.max.bytes": 5 * 1024 * 1024,
    # For each lane; if the queue is full, the writer waits.
    "queue.buffering.max.kbytes": 64 * 1024,
    "topic.metadata.propagation.max.ms": 10_000,
}


class Writer:
    """One lane's producer.

    Args:
        transactional_id: the id that fences the lane's former producer.
        client: librdkafka's settings of a client.
        partitioner: the partitioner for records without a partition.
        deadlines: how long to wait for Kafka.
        closing: whether the lane must close; waiting for a broker then ends.
    """

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
        # Whether the last transaction failed. Then the next one asks for a report of each record, so it can
        # name the record at fault. Reports cost as much as the records, so otherwise the last one of a topic
        # must do.
        self._report_all = False

    def fence(self) -> None:
        """Start a producer; the former producer with the same transactional id can write no more.

        Raises:
            Fenced: another producer of this lane was started at the same time.
            LaneClosing: the lane must close.
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
        """Commit one transaction of these records and offsets.

        Args:
            records: the records to write.
            offsets: the group's offsets to commit; if empty, only the records are committed.
            group_metadata: the metadata of the group, from its consumer; None without offsets.

        Returns:
            The offset after the last record written, by topic whose records name a partition.

        Raises:
            Fenced: another producer has taken the lane.
            InDoubt: the transaction failed, or its result is unknown.
            BadTopics: a topic does not exist, or it refuses a record as too large. Perhaps only the next
                transaction with such a record says so.
            LaneClosing: the broker does not answer, and the lane must close.
        """
        producer = self._producer
        if producer is None:
            raise InDoubt("the lane's producer was given up and is not started yet")
        end_s = time.monotonic() + self._deadlines.commit_s
        written = _Written()
        try:
            producer.begin_transaction()
            last = {record.topic: record for record in records}
            for record in records:
                reported = self._report_all or record is last[record.topic] or record.partition is None
                _produce(producer, record, written, end_s, reported=reported)

            def send_offsets(timeout_s: float) -> None:
                overdue_s = timeout_s + self._deadlines.request_s + _GRACE_S
                args = offsets, group_metadata, timeout_s
                if not _returns_within(overdue_s, lambda: producer.send_offsets_to_transaction(*args)):
                    raise InDoubt(
                        "the transaction failed, or its result is unknown: no answer on the offsets from"
                        f" Kafka at {address(self._client)}"
                    )

            if offsets:
                self._until(end_s, "take offsets", producer, send_offsets)
            self._until(end_s, "commit", producer, producer.commit_transaction)
        except KafkaException as raised:
            if written.failure is None and error_of(raised).txn_requires_abort():
                # The delivery report with the cause may arrive just after the transaction's error.
                with suppress(KafkaException):
                    producer.poll(_RETRY_S)
            self._report_all = True
            failed = _failed(error_of(raised), written, self._reports)  # before the abort adds more reports
            self._abort(producer)
            raise failed from None
        except BaseException:
            self._abort(producer)
            raise
        self._report_all = False
        return written.next_offsets

    def give_up(self) -> None:
        """Give up the producer without waiting for the broker."""
        producer, self._producer = self._producer, None
        if producer is not None:
            # The callbacks of unsent records would keep the producer alive, and `close` would wait for the
            # broker for ever.
            producer.purge()
            with suppress(KafkaException):  # the same failure, reported again
                producer.flush(_RETRY_S)

    def _abort(self, producer: Producer) -> None:
        """Abort the transaction if the broker answers quickly, so readers need not wait for its timeout."""
        try:
            producer.abort_transaction(self._deadlines.abort_s)
        except KafkaException as error:
            log.info("transaction is left to the next producer", reason=error_of(error).str())
        self.give_up()

    def _until(self, end_s: float, task: str, producer: Producer, call: Callable[[float], None]) -> None:
        """Make the call, and retry while the error is retriable and there is time."""
        logged = False
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
            if not logged:
                logged = True
                log.warning(
                    "kafka lets the lane wait",
                    to=task,
                    brokers=address(self._client),
                    reason=why(error, self._reports),
                )


class _Written:
    """The delivery reports of one transaction."""

    __slots__ = ("failure", "next_offsets")

    def __init__(self) -> None:
        self.next_offsets: dict[str, int] = {}
        self.failure: tuple[KafkaError, OutRecord] | None = None

    def report(self, record: OutRecord) -> Callable[[KafkaError | None, Message], None]:
        """The delivery callback for one record."""

        def delivered(error: KafkaError | None, message: Message) -> None:
            offset = message.offset()
            if error is not None:
                self.failure = self.failure or (error, record)
            elif record.partition is not None and offset is not None:
                self.next_offsets[record.topic] = max(self.next_offsets.get(record.topic, 0), offset + 1)

        return delivered


def _returns_within(seconds: float, call: Callable[[], None]) -> bool:
    """Make a call that may never return; whether it returned in time. If not, its thread stays behind.

    While librdkafka waits for the group's coordinator, it ignores the timeout of
    ``send_offsets_to_transaction`` (https://github.com/confluentinc/librdkafka/issues/5456). A restarting
    broker is missing from the metadata for a moment, and then librdkafka may wait for it for ever (issue
    5511).
    """
    returned: Future[None] = Future()

    def run() -> None:
        try:
            call()
        except BaseException as error:  # noqa: BLE001 - `returned.result` raises it
            returned.set_exception(error)
        else:
            returned.set_result(None)

    threading.Thread(target=run, name=f"{threading.current_thread().name}-offsets", daemon=True).start()
    try:
        returned.result(seconds)
    except TimeoutError:
        return False
    return True


def _produce(
    producer: Producer, record: OutRecord, written: _Written, end_s: float, *, reported: bool
) -> None:
    while True:
        try:
            return producer.produce(
                record.topic,
                record.value,
                record.key,
                partition=-1 if record.partition is None else record.partition,
                on_delivery=written.report(record) if reported else None,
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
    """The error that a failed transaction raises in the lane."""
    cause, record = written.failure or (error, None)
    if is_fenced(error) or is_fenced(cause):
        return Fenced("another producer has taken this lane, or the transaction exceeded its timeout")
    if record is not None and cause.code() in _TOO_LARGE:
        size = len(record.key or b"") + len(record.value or b"")
        return BadTopics(
            f"topic {record.topic} refuses a record of {size} bytes: set its max.message.bytes to 5242880"
        )
    if record is not None and is_unknown(cause):
        return BadTopics(
            f"topic {record.topic} does not exist, or has no partition {record.partition}: create it (`segue"
            " doctor` names all topics that are needed)"
        )
    return InDoubt(f"the transaction failed, or its result is unknown: {why(cause, reports)}")
