"""The records of `segue-order-rows`.

The key is a JSON array: the order's id, and for a line also the line's id. So compaction keeps the newest
row of each order and of each line.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import msgspec
from msgspec import Struct

from schemas.errors import BadEvent
from schemas.topics import Topics
from segue.join.order_columns import Values
from segue.join.table_rows import Row
from streamer.interfaces.lane_interfaces import OutRecord, Record

ENCODER = msgspec.json.Encoder(decimal_format="number")
"""Writes decimals as numbers with all their digits."""


def row_record(row: Row, topics: Topics, partition: int) -> OutRecord:
    """Return the record that hands a row on.

    Args:
        row: the row.
        topics: the names of the topics.
        partition: the partition of the row's order.
    """
    key = [row.order_id] if row.item_id is None else [row.order_id, row.item_id]
    value: dict[str, object] = {"at_us": row.at_us, "row": row.values}
    if row.deleted:
        value["deleted"] = True
    return OutRecord(topics.order_rows, ENCODER.encode(key), ENCODER.encode(value), (), partition)


class _Key(Struct, array_like=True, forbid_unknown_fields=True):
    order_id: str
    item_id: str | None = None


class _Value(Struct):
    at_us: int
    row: Values | None
    deleted: bool = False


# Made here, because msgspec must not learn a type in two threads at once. They have no limit of depth: what
# was read once nests a little deeper here.
_KEY = msgspec.json.Decoder(_Key)
_VALUE = msgspec.json.Decoder(_Value, float_hook=Decimal)


def row_in(record: Record) -> Row | None:
    """Return the row in a record; None for a tombstone, which only a person writes.

    Raises:
        BadEvent: this is no record of :func:`row_record`.
    """
    if record.value is None:
        return None
    try:
        key = _KEY.decode(record.key or b"")
        value = _VALUE.decode(record.value)
    except (msgspec.MsgspecError, UnicodeDecodeError, InvalidOperation, RecursionError):
        raise BadEvent("", "only `segue join` writes to this topic, and it did not write this") from None
    return Row(key.order_id, key.item_id, value.at_us, value.row, value.deleted)
