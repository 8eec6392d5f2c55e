"""Reads Debezium's records of the two tables: each tells of a row of an order, or of a line. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from schemas import times
from schemas.errors import BadEvent
from schemas.inputs import field_checks
from schemas.inputs.decode import value_fields
from schemas.inputs.forms.connect_values import plain_row
from schemas.inputs.forms.debezium_change import Change, change_in, row_before
from schemas.inputs.forms.event_form import NoEvent
from schemas.inputs.forms.framed_values import Unframe
from segue.config.others.join_tables import JoinTables
from segue.join.order_columns import OrderColumns, Values
from streamer.interfaces.lane_interfaces import Record

Table = Literal["orders", "items"]
_MICROSECOND = timedelta(microseconds=1)


class Row(Struct, frozen=True):
    """A row of an order or of a line, after a change.

    Attributes:
        order_id: the order.
        item_id: the line; None for the order's own row.
        at_us: the time of the change, in microseconds since 1970.
        values: by column; None for a line that the order no longer has.
        deleted: whether the row is deleted, or the line is now another order's.
    """

    order_id: str
    item_id: str | None
    at_us: int
    values: Values | None
    deleted: bool = False


class RowReader(Struct, frozen=True):
    """Reads the records of one of the two tables.

    Attributes:
        table: which one.
        tables: the setting ``join``.
        columns: the columns of the tables.
        unframe: parses a value with the frame of a Schema Registry.
        max_ahead: how far the time of a change may lie ahead of its record's time.
    """

    table: Table
    tables: JoinTables
    columns: OrderColumns
    unframe: Unframe
    max_ahead: timedelta

    def rows_in(self, record: Record) -> list[Row]:
        """Return the rows that a record tells of.

        There is none in a tombstone, and in a message of Debezium's own. There are two if a line has moved
        from one order to another.

        Raises:
            BadEvent: the record cannot be read; the error names the column.
            Unreachable: the Schema Registry does not answer.
        """
        fields = value_fields(record.value, self.unframe)
        if fields is None:
            return []
        try:
            change = change_in(fields)
        except NoEvent:
            return []
        at_us = _time_of(change, record, self.max_ahead)
        return [self._order(change, at_us)] if self.table == "orders" else self._line(fields, change, at_us)

    def _order(self, change: Change, at_us: int) -> Row:
        row = plain_row(change.row, change.schema, self.columns.typed(), change.shown)
        order_id = self.columns.order_id(row, change.shown)
        # What a deleted row was is not kept: it may be a person's.
        values = self.columns.identity(row) if change.deleted else row
        return Row(order_id, None, at_us, values, change.deleted)

    def _line(self, fields: Mapping[str, object], change: Change, at_us: int) -> list[Row]:
        columns = self.tables.order_id, self.tables.item_id
        typed = self.columns.typed_of_line().union(columns)
        row = plain_row(change.row, change.schema, typed, change.shown)
        item_id = _id_in(row, self.tables.item_id, change.shown)
        if change.deleted:
            _check_names_order(row, self.tables.order_id, change.shown)
        former = self._former_order(fields)
        if former is not None and row.get(self.tables.order_id) is None:
            return [Row(former, item_id, at_us, None, deleted=True)]
        order_id = _id_in(row, self.tables.order_id, change.shown)
        now = Row(order_id, item_id, at_us, None if change.deleted else row, change.deleted)
        return [now] if former in (None, order_id) else [Row(former, item_id, at_us, None, deleted=True), now]

    def _former_order(self, fields: Mapping[str, object]) -> str | None:
        """Return the order of a line before an update; None if the record does not say."""
        before = row_before(fields)
        if before is None:
            return None
        row = plain_row(*before, {self.tables.order_id}, "before.")
        if row.get(self.tables.order_id) is None:
            return None
        return _id_in(row, self.tables.order_id, "before.")


def _id_in(row: Values, column: str, shown: str) -> str:
    return field_checks.required_id({shown + column: row.get(column)}, shown + column)


def _check_names_order(row: Values, column: str, shown: str) -> None:
    """Refuse a deleted line that names no order.

    PostgreSQL logs only the key of a deleted row, and Debezium fills the other columns with null, 0 or "".
    """
    value = row.get(column)
    if value in (None, 0, ""):
        said = "is missing" if value is None else f"{field_checks.shown(value)} is no order"
        fix = "set REPLICA IDENTITY FULL for the table in PostgreSQL, so that a deleted line names its order"
        raise BadEvent(shown + column, f"{said}: {fix}")


def _time_of(change: Change, record: Record, max_ahead: timedelta) -> int:
    """Return the time of a change, in microseconds since 1970."""
    if change.changed_at is None:
        if change.shown:
            raise BadEvent("source.ts_ms", "is missing: send the time of the change")
        fix = "set add.fields = source.ts_ms in Debezium's ExtractNewRecordState"
        raise BadEvent("__source_ts_ms", f"is missing: {fix}")
    at = times.parse(change.changed_at)
    if record.timestamp_ms >= 0:
        _check_ahead(change.changed_in, at, times.from_millis(record.timestamp_ms), max_ahead)
    return (at - times.EPOCH) // _MICROSECOND


def _check_ahead(where: str, at: datetime, written: datetime, max_ahead: timedelta) -> None:
    """Refuse a time far in the future: all later changes of the order would have to be still later."""
    if at - written > max_ahead:
        length = str(max_ahead).removesuffix(", 0:00:00")
        problem = (
            f"{times.text(at)} is more than {length} ahead of the record's own time, {times.text(written)}"
        )
        raise BadEvent(where, problem)
