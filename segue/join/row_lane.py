"""The first step, for one partition of one table: hand each row on to the partition of its order.

The order of the work:

1. Fence: start the producer, which ends the former owner's transaction.
2. Go on at the committed offset.
3. Read records, and make rows of them.
4. Commit: one transaction has the rows, the dead letters and the group's offset.
"""

from __future__ import annotations

from collections.abc import Callable

from schemas.errors import BadEvent
from schemas.partitioner import partition_of
from schemas.topics import Topics
from segue.join.join_count import JoinCount
from segue.join.lane_start import start_of
from segue.join.row_records import row_record
from segue.join.table_rows import RowReader
from streamer.batch.read_batch import letter_of
from streamer.interfaces.lane_errors import LaneClosing
from streamer.interfaces.lane_interfaces import Log, OutRecord


class RowLane:
    """One partition of Debezium's topic of a table.

    Args:
        partition: the partition's number.
        topic: Debezium's topic.
        kafka: reads and writes the partition; its input is this topic.
        reader: reads the records.
        topics: the names of Segue's topics.
        partitions: how many partitions the topic of rows has.
        fix: what to do if Kafka has deleted rows that were not read.
        closing: returns whether the lane must close.
        max_batch: the most records to read at once.
    """

    def __init__(
        self,
        partition: int,
        topic: str,
        kafka: Log,
        reader: RowReader,
        topics: Topics,
        partitions: int,
        fix: str,
        *,
        closing: Callable[[], bool] = lambda: False,
        max_batch: int = 1_000,
    ) -> None:
        self._partition, self._topic, self._kafka = partition, topic, kafka
        self._reader, self._topics = reader, topics
        self._partitions = partitions
        self._fix, self._closing, self._max_batch = fix, closing, max_batch
        self._committed = 0
        self._count = JoinCount()
        self._lives = False

    @property
    def place(self) -> JoinCount | None:
        """What the lane has done; None before its first takeover."""
        return self._count if self._lives else None

    def take_over(self) -> None:
        """Become the only one who hands on this partition, and go on at the committed offset.

        Raises:
            NeedsRebuild: Kafka has deleted rows that were not read.
            InDoubt, Unreachable: try again.
        """
        self._kafka.fence()
        self._committed = start_of(self._kafka, self._topic, self._partition, self._fix)
        self._kafka.read_from({self._topic: self._committed})
        self._lives = True

    def step(self, timeout_s: float) -> None:
        """Hand on the next rows.

        Raises:
            InDoubt, Unreachable: take over again.
            LaneClosing: the lane must close.
        """
        if self._closing():
            raise LaneClosing
        records = self._kafka.poll(self._max_batch, timeout_s)
        rows: list[OutRecord] = []
        letters: list[OutRecord] = []
        for record in records:
            try:
                found = self._reader.rows_in(record)
            except BadEvent as bad:
                letters.append(letter_of(record, str(bad), self._topics))
                continue
            for row in found:
                # Not by the setting `partitioner`: it may change, but the rows of an order must meet.
                partition = partition_of(row.order_id, self._partitions)
                rows.append(row_record(row, self._topics, partition))
        reached = self._kafka.reached()[self._topic]
        # Also without a record: past a transaction marker, before Kafka deletes what was read before it.
        if reached > self._committed:
            self._kafka.commit([*rows, *letters], {self._topic: reached})
            self._committed = reached
            self._count = self._count.plus(rows=len(records), letters=len(letters))

    def close(self) -> None:
        """Nothing is left to do: each step commits."""

    def give_up(self) -> None:
        """Nothing is kept beside Kafka."""
