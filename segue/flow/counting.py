"""Counts the changes of the partitions that this process has, each once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from schemas.errors import SegueError
from schemas.outputs.segment_change import SegmentChange
from schemas.outputs.wire import decode_change
from segue.flow.chained_consumer import BEFORE_SEEK
from segue.flow.moved_row import Way


class Skipped(SegueError):
    """Records were skipped while partitions moved; the process must read from the committed offsets again."""

    def __init__(self, topic: str, partition: int, expected: int | None, came: int) -> None:
        super().__init__(
            f"the records of {topic}, partition {partition}, went on at offset {came} instead of {expected}"
        )


class Counter(Protocol):
    """A table that counts moves."""

    def count(self, way: Way, at_s: float, offset: int, event_id: str) -> None: ...


class Counting:
    """Counts into tables, in the order of the offsets, and knows how far it came.

    Args:
        topic: the topic of changes, for messages.
        topic_id: Kafka's id of it.
        tables: where to count.
    """

    def __init__(self, topic: str, topic_id: str, tables: Sequence[Counter]) -> None:
        self._topic, self._topic_id, self._tables = topic, topic_id, tables
        self._next: dict[int, int] = {}

    def begin(self, offsets: Mapping[int, int]) -> None:
        """Begin with these offsets by partition, and count nothing of others.

        Faust may seek twice. A partition that is counted further meanwhile goes on there.
        """
        self._next = {number: max(at, self._next.get(number, at)) for number, at in offsets.items()}

    def reached(self) -> dict[int, int]:
        """Return the next offset to count, by partition."""
        return dict(self._next)

    def take(self, partition: int, read_from: int, offset: int, value: bytes | None) -> None:
        """Count one record.

        Args:
            partition: the record's partition.
            read_from: nothing was skipped between this offset and the record.
            offset: the record's offset.
            value: the change.

        Raises:
            Skipped: a record before this one did not come.
            BadChange: this version cannot read the change.
        """
        expected = self._next.get(partition)
        if expected is None or read_from == BEFORE_SEEK:
            return  # it comes again, after the seek
        if read_from > expected:
            raise Skipped(self._topic, partition, expected, read_from)
        if offset < expected:
            return
        change = None if value is None else decode_change(value)
        # A confirmed user moved before, and an erased user goes nowhere.
        if isinstance(change, SegmentChange) and change.kind == "moved":
            way = Way(self._topic_id, partition, change.previous_segment, change.segment)
            for table in self._tables:
                table.count(way, change.emitted_at.timestamp(), offset, change.event_id)
        self._next[partition] = offset + 1
