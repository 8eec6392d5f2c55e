"""`segue join` in memory: Debezium's topics, lanes of both steps, and commits that fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from schemas.errors import BadEvent
from schemas.features import Feature, declared
from schemas.input_events import Order
from schemas.inputs.decode import decode_order
from schemas.inputs.fields_read import fields_read
from schemas.inputs.forms.framed_values import without_registry
from schemas.partitioner import partition_of
from schemas.topics import Topics
from segue.config.others.event_forms import forms_of
from segue.config.others.join_tables import JoinTables
from segue.join.order_columns import OrderColumns
from segue.join.order_lane import OrderLane
from segue.join.row_lane import RowLane
from segue.join.table_rows import RowReader, Table
from streamer.in_memory import MemoryKafka, MemoryLog
from streamer.interfaces.lane_errors import InDoubt
from streamer.interfaces.lane_interfaces import OutRecord, Record
from tests.support.inputs.debezium_tables import EVENTS, JOIN

PARTITIONS = 2
TOPICS = Topics("eu.")
TABLES = JoinTables(**JOIN)
READ = fields_read(declared([Feature("spend", "sum", "order_value")]), statuses=True)
FORM = forms_of(EVENTS).orders
assert FORM is not None
COLUMNS = OrderColumns(FORM, READ)
FIX = "begin again"


def reader_of(table: Table, max_ahead: timedelta = timedelta(days=1)) -> RowReader:
    return RowReader(table, TABLES, COLUMNS, without_registry, max_ahead)


def event_of(record: Record) -> Order:
    """Read a record of orders as a lane does."""
    return decode_order(record.key, record.value, datetime(2030, 1, 1, tzinfo=UTC), read=READ, form=FORM)


class FailingLog(MemoryLog):
    """A log whose next commit may fail: before it is there, or after it, so that nobody knows."""

    fails: str | None = None

    def commit(self, records: Sequence[OutRecord], positions: Mapping[str, int]) -> dict[str, int]:
        fails, self.fails = self.fails, None
        if fails == "before":
            raise InDoubt("the commit failed")
        written = super().commit(records, positions)
        if fails == "after":
            raise InDoubt("no answer came")
        return written


class JoinWorld:
    """The topics, and all lanes of one process."""

    def __init__(self, max_batch: int = 3) -> None:
        self.kafka = MemoryKafka()
        for topic in (TABLES.orders, TABLES.items, TOPICS.order_rows, TOPICS.orders):
            self.kafka.create(topic, PARTITIONS)
        self.kafka.create(TOPICS.dead_letters, 1)
        self._max_batch = max_batch
        self._open: list[Callable[[], tuple[RowLane | OrderLane, FailingLog]]] = []
        for table, topic in (("orders", TABLES.orders), ("items", TABLES.items), ("rows", TOPICS.order_rows)):
            # Each group has transactional ids of its own.
            group = MemoryKafka(self.kafka.topics, self.kafka.offsets)
            for partition in range(PARTITIONS):
                self._open.append(partial(self._lane, table, topic, group, partition))
        self.lanes = [each() for each in self._open]
        for number in range(len(self.lanes)):
            self.crash(number)

    def write(self, table: Table, number: int, value: bytes | None) -> None:
        """Write a record of a table's row as Debezium does: by the row's key."""
        topic = TABLES.orders if table == "orders" else TABLES.items
        self.kafka.append(topic, number % PARTITIONS, b'{"id":%d}' % number, value)

    def crash(self, number: int) -> None:
        """End a lane without a word, and let another process open it."""
        self.lanes[number] = self._open[number]()
        self.lanes[number][0].take_over()

    def step(self, number: int, fails: str | None = None) -> None:
        """Let a lane work once; its commit may fail."""
        lane, log = self.lanes[number]
        log.fails = fails
        try:
            lane.step(0)
        except InDoubt:
            lane.take_over()
        log.fails = None

    def finish(self) -> None:
        """Let all lanes work until nothing is left."""
        before = None
        while before != (now := sum(len(p) for t in self.kafka.topics.values() for p in t.partitions)):
            before = now
            for _ in range(30):
                for number in range(len(self.lanes)):
                    self.step(number)

    def records(self, topic: str) -> list[Record]:
        return [record for partition in self.kafka.topics[topic].partitions for record in partition]

    def orders(self) -> list[Order]:
        """Return the versions that lanes can read; each lies on its user's partition."""
        found = []
        for record in self.records(TOPICS.orders):
            try:
                order = event_of(record)
            except BadEvent as error:
                assert error.path.endswith("customer_id")  # noqa: PT017 - an order of nobody
                continue
            assert record.partition == partition_of(order.user_id, PARTITIONS)
            found.append(order)
        return found

    def _lane(
        self, table: str, topic: str, group: MemoryKafka, partition: int
    ) -> tuple[RowLane | OrderLane, FailingLog]:
        log = FailingLog(group, partition, (topic,))
        if table == "rows":
            return OrderLane(
                partition, log, COLUMNS, TOPICS, PARTITIONS, "murmur2", FIX, max_batch=self._max_batch
            ), log
        reader = reader_of("orders" if table == "orders" else "items")
        return RowLane(partition, topic, log, reader, TOPICS, PARTITIONS, FIX, max_batch=self._max_batch), log
