"""The records of `segue-order-rows`, and dead letters of records that cannot be joined.

The key is a JSON array: the order's id, and for a line also the line's id. So compaction keeps the newest
row of each order and of each line.
"""

from __future__ import annotations

from typing import Any

import msgspec

from schemas.errors import BadEvent
from schemas.inputs import json_text
from schemas.outputs.headers import dead_letter
from schemas.topics import Topics
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


def row_in(record: Record) -> Row | None:
    """Return the row in a record; None for a tombstone, which only a person writes.

    Raises:
        BadEvent: this is no record of :func:`row_record`.
    """
    if record.value is None:
        return None
    key: Any = json_text.load(record.key or b"")
    value: Any = json_text.load(record.value)
    try:
        order_id, item_id = key if len(key) == 2 else (key[0], None)
        return msgspec.convert(
            {
                "order_id": order_id,
                "item_id": item_id,
                "at_us": value["at_us"],
                "values": value["row"],
                "deleted": value.get("deleted", False),
            },
            Row,
        )
    except (TypeError, KeyError, IndexError, AttributeError, msgspec.ValidationError):
        raise BadEvent("", "only `segue join` writes to this topic, and it did not write this") from None


def letter_of(record: Record, reason: str, topics: Topics) -> OutRecord:
    """Return the dead letter of a record."""
    key, value, headers = dead_letter(
        key=record.key,
        value=record.value,
        headers=record.headers,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp_ms=record.timestamp_ms,
        reason=reason,
    )
    return OutRecord(topics.dead_letters, key, value, headers)
