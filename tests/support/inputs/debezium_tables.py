"""A shop's tables of orders and of their lines, and what Debezium writes of each change."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

Table = Literal["orders", "items"]
Row = dict[str, Any]

_DECIMAL: Row = {
    "type": "bytes",
    "name": "org.apache.kafka.connect.data.Decimal",
    "parameters": {"scale": "2"},
}
_TYPES: dict[str, Row] = {
    "price": _DECIMAL,
    "placed_at": {"type": "int64", "name": "io.debezium.time.MicroTimestamp"},
}

JOIN = {"orders": "shop.public.orders", "items": "shop.public.order_items"}
EVENTS = {
    "orders": {
        "form": "debezium",
        "order_id": "id",
        "user_id": "customer_id",
        "created_at": "placed_at",
        "status": "state",
        "items": "lines",
        "dates": "unix_us",
        "item": {"brand": "maker"},
    }
}
"""The settings that read these tables."""


@dataclass
class ShopTables:
    """The tables.

    Attributes:
        schemas: whether the records have the schema of their rows, and typed values.
        orders: the rows of the orders, by id.
        items: the rows of the lines, by id.
    """

    schemas: bool = False
    orders: dict[int, Row] = field(default_factory=dict)
    items: dict[int, Row] = field(default_factory=dict)

    def put(self, table: Table, row: Row, at_us: int) -> bytes:
        """Insert or update a row, and return the value of Debezium's record."""
        rows = self._rows(table)
        before = rows.get(row["id"])
        rows[row["id"]] = row
        return self._record("c" if before is None else "u", before, row, at_us)

    def remove(self, table: Table, number: int, at_us: int) -> bytes:
        """Delete a row, and return the value of Debezium's record."""
        return self._record("d", self._rows(table).pop(number), None, at_us)

    def lines_of(self, order: int) -> list[Row]:
        """Return the lines of an order by their ids."""
        return [row for _, row in sorted(self.items.items()) if row["order_id"] == order]

    def _rows(self, table: Table) -> dict[int, Row]:
        return self.orders if table == "orders" else self.items

    def _record(self, op: str, before: Row | None, after: Row | None, at_us: int) -> bytes:
        payload = {"op": op, "source": {"ts_us": at_us}, "ts_ms": at_us // 1_000}
        payload |= {"before": self._written(before), "after": self._written(after)}
        if not self.schemas:
            return json.dumps(payload).encode()
        fields = [{"field": name, **kind} for name, kind in _TYPES.items()]
        sides = [{"field": side, "type": "struct", "fields": fields} for side in ("before", "after")]
        return json.dumps({"schema": {"type": "struct", "fields": sides}, "payload": payload}).encode()

    def _written(self, row: Row | None) -> Row | None:
        if row is None or "price" not in row:
            return row
        price = Decimal(row["price"])
        if not self.schemas:
            return row | {"price": str(price)}
        unscaled = int(price.scaleb(2))
        size = (unscaled.bit_length() + 8) // 8
        return row | {"price": base64.b64encode(unscaled.to_bytes(size, "big", signed=True)).decode()}
