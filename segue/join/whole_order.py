"""The join: what is known of an order after its rows so far, and the versions that follow. Pure.

A row is folded in the order of the log. The time of an order grows with each row by at least a microsecond,
because one database transaction gives an order and its lines one time, and lanes keep the version with the
newest time.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec
from msgspec import Struct

from segue.join.order_columns import OrderColumns, Values
from segue.join.row_records import ENCODER
from segue.join.table_rows import Row

Stage = Literal["waiting", "whole", "gone"]


class OrderState(Struct, frozen=True):
    """What is known of an order.

    Attributes:
        at_us: the time of its newest version, in microseconds since 1970.
        values: its row by column; None before it has come.
        deleted: whether its row was deleted.
        lines: the lines by id; None for a line that it no longer has.
    """

    at_us: int = 0
    values: Values | None = None
    deleted: bool = False
    lines: dict[str, Values | None] = {}

    @property
    def stage(self) -> Stage:
        """Whether the order waits for its row or its first line, is whole, or is no order any more.

        An order without its last line is gone, as a warehouse knows no order without items.
        """
        if self.values is None or not self.lines:
            return "waiting"
        if self.deleted or all(line is None for line in self.lines.values()):
            return "gone"
        return "whole"


class Version(Struct, frozen=True):
    """A version of an order, for the topic of orders.

    Attributes:
        user_id: the order's user; None if the row does not say.
        value: a change as Debezium writes it, which has the lines in a column of the order's row.
    """

    user_id: str | None
    value: bytes


def fold(state: OrderState, row: Row) -> OrderState:
    """Return what is known of an order after one more row of it."""
    at_us = max(state.at_us + 1, row.at_us)
    if row.item_id is not None:
        return OrderState(at_us, state.values, state.deleted, {**state.lines, row.item_id: row.values})
    values = row.values
    if row.deleted and values is not None and state.values is not None:
        # PostgreSQL may log only the key of a deleted row, so the order's last row says more.
        values = {column: state.values.get(column, value) for column, value in values.items()}
    return OrderState(at_us, values, row.deleted, state.lines)


def versions(before: OrderState, after: OrderState, columns: OrderColumns) -> list[Version]:
    """Return the versions to write after some rows of an order.

    Args:
        before: the order before these rows.
        after: the order after them.
        columns: the columns of the tables.

    Returns:
        No version for an order that waits, or that was gone before. Two if the order is now another user's:
        the former user's version is a deleted order.
    """
    if after.values is None or after.stage == "waiting" or before.stage == after.stage == "gone":
        return []
    user_id = columns.user_id(after.values)
    found = [_version(user_id, after, columns)]
    if before.stage == "whole" and before.values is not None:
        former = columns.user_id(before.values)
        if former not in (None, user_id):
            gone = OrderState(after.at_us, before.values, deleted=True, lines=after.lines)
            found.insert(0, _version(former, gone, columns))
    return found


def _version(user_id: str | None, state: OrderState, columns: OrderColumns) -> Version:
    assert state.values is not None
    source = {"ts_us": state.at_us}
    if state.stage == "gone":
        before = columns.identity(state.values)
        return Version(user_id, ENCODER.encode({"op": "d", "before": before, "source": source}))
    ids = sorted((item_id for item_id, line in state.lines.items() if line is not None), key=_by_number)
    lines = [columns.line(line) for item_id in ids if (line := state.lines[item_id]) is not None]
    after = {**state.values, columns.items: lines}
    return Version(user_id, ENCODER.encode({"op": "u", "after": after, "source": source}))


def _by_number(item_id: str) -> tuple[int, str]:
    """Sort numbers as numbers, and other ids in some fixed order."""
    return len(item_id), item_id


# Made here, because msgspec must not learn a type in two threads at once.
_STATE = msgspec.json.Decoder(OrderState, float_hook=Decimal)


def encode_state(state: OrderState) -> bytes:
    """Return a state as bytes, for :func:`state_of`."""
    return ENCODER.encode(state)


def state_of(data: bytes | None) -> OrderState:
    """Return a state from its bytes; from None the state before the first row."""
    if data is None:
        return OrderState()
    return _STATE.decode(data)
