"""The second step, for one partition of the rows: join the rows of each order, and write its versions.

The order of the work:

1. Fence: start the producer, which ends the former owner's transaction.
2. Read the rows up to the committed offset: what is known of each order. It lies in a temporary file.
3. Read more rows, and fold them.
4. Commit: one transaction has the versions, the dead letters and the group's offset.
5. Keep what is now known of these orders.

A crash before the end of stop 4 leaves nothing; after it, stop 2 of the next owner gives the same orders.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from schemas.errors import BadEvent, NeedsRebuild
from schemas.partitioner import Partitioner, partition_of
from schemas.topics import MAX_INPUT_BYTES, Topics
from segue.join.join_count import JoinCount
from segue.join.lane_start import start_of, was_made_anew
from segue.join.order_columns import OrderColumns
from segue.join.row_records import row_in
from segue.join.whole_order import OrderState, Version, encode_state, fold, state_of, versions
from streamer.batch.read_batch import letter_of
from streamer.interfaces.lane_errors import LaneClosing
from streamer.interfaces.lane_interfaces import Log, OutRecord, Record
from streamer.refill.spill import Spill


class OrderLane:
    """One partition of the topic of rows.

    Args:
        partition: the partition's number.
        kafka: reads and writes the partition; its input is the topic of rows.
        columns: the columns of the two tables.
        topics: the names of Segue's topics.
        partitions: how many partitions the topic of orders has.
        partitioner: chooses a user's partition.
        fix: what to do if rows are gone.
        closing: returns whether the lane must close.
        max_batch: the most rows to read at once.
    """

    def __init__(
        self,
        partition: int,
        kafka: Log,
        columns: OrderColumns,
        topics: Topics,
        partitions: int,
        partitioner: Partitioner,
        fix: str,
        *,
        closing: Callable[[], bool] = lambda: False,
        max_batch: int = 1_000,
    ) -> None:
        self._partition, self._kafka, self._columns, self._topics = partition, kafka, columns, topics
        self._partitions, self._partitioner = partitions, partitioner
        self._fix, self._closing, self._max_batch = fix, closing, max_batch
        self._spill = Spill()
        self._orders = self._spill.shelf()
        self._committed = 0
        self._count = JoinCount()
        self._lives = False

    @property
    def place(self) -> JoinCount | None:
        """What the lane has done; None before its first takeover."""
        return self._count if self._lives else None

    def take_over(self) -> None:
        """Become the only one who joins this partition, and read what is known up to the committed offset.

        Raises:
            NeedsRebuild: rows are gone.
            InDoubt, Unreachable: try again.
            LaneClosing: the lane must close.
            NoRoom: the folder for temporary files is full.
        """
        self.give_up()
        topic = self._topics.order_rows
        self._kafka.fence()
        begin = self._kafka.watch(topic).begin
        if was_made_anew(self._kafka, topic):
            raise NeedsRebuild(f"topic {topic} was made anew, and the rows before are gone: {self._fix}")
        self._committed = start_of(self._kafka, topic, self._partition, self._fix)
        for records in self._read(begin, self._committed):
            self._keep({order_id: after for order_id, (_, after, _) in self._folded(records, []).items()})
        self._kafka.read_from({topic: self._committed})
        self._lives = True

    def step(self, timeout_s: float) -> None:
        """Join the next rows, and write the versions of their orders.

        Raises:
            InDoubt, Unreachable: take over again.
            LaneClosing: the lane must close.
            NoRoom: the folder for temporary files is full.
        """
        if self._closing():
            raise LaneClosing
        letters: list[OutRecord] = []
        folded = self._folded(self._kafka.poll(self._max_batch, timeout_s), letters)
        orders: list[OutRecord] = []
        for order_id, (before, after, record) in folded.items():
            for version in versions(before, after, self._columns):
                if len(version.value) > MAX_INPUT_BYTES:
                    letters.append(letter_of(record, _too_large(order_id, version), self._topics))
                else:
                    orders.append(self._order(order_id, version))
        reached = self._kafka.reached()[self._topics.order_rows]
        if reached > self._committed:
            self._kafka.commit([*orders, *letters], {self._topics.order_rows: reached})
            self._keep({order_id: after for order_id, (_, after, _) in folded.items()})
            self._committed = reached
            self._count = self._count.plus(versions=len(orders), letters=len(letters))

    def close(self) -> None:
        """Nothing is left to do: each step commits."""

    def give_up(self) -> None:
        """Delete the temporary file."""
        self._spill.close()
        self._spill = Spill()
        self._orders = self._spill.shelf()

    def _folded(
        self, records: Sequence[Record], letters: list[OutRecord]
    ) -> dict[str, tuple[OrderState, OrderState, Record]]:
        """Return each order before and after its rows in these records, and the last of its records."""
        folded: dict[str, tuple[OrderState, OrderState, Record]] = {}
        for record in records:
            try:
                row = row_in(record)
            except BadEvent as bad:
                letters.append(letter_of(record, str(bad), self._topics))
                continue
            if row is None:
                continue
            if row.order_id in folded:
                before, now, _ = folded[row.order_id]
            else:
                before = now = state_of(self._orders.get(row.order_id))
            folded[row.order_id] = before, fold(now, row), record
        return folded

    def _keep(self, orders: dict[str, OrderState]) -> None:
        self._orders.put((order_id, encode_state(state)) for order_id, state in orders.items())

    def _order(self, order_id: str, version: Version) -> OutRecord:
        # Without a user, the lane of any partition makes a dead letter that says which column is at fault.
        key = None if version.user_id is None else version.user_id.encode()
        partition = partition_of(version.user_id or order_id, self._partitions, self._partitioner)
        return OutRecord(self._topics.orders, key, version.value, (), partition)

    def _read(self, begin: int, end: int) -> Iterator[list[Record]]:
        """Yield the rows from one offset to another."""
        topic = self._topics.order_rows
        self._kafka.read_from({topic: begin})
        while not self._kafka.at_end({topic: end}):
            if self._closing():
                raise LaneClosing
            yield [each for each in self._kafka.poll(self._max_batch, 0.2) if each.offset < end]


def _too_large(order_id: str, version: Version) -> str:
    size = f"{len(version.value):,} bytes, and no worker takes more than {MAX_INPUT_BYTES:,}"
    return f"order {order_id!r} has {size}: leave columns out by Debezium's column.exclude.list"
