"""Debezium's records of orders and of their lines: what each says, and why one cannot be read."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.errors import BadEvent
from segue.join.table_rows import Row
from streamer.interfaces.lane_interfaces import Record
from tests.support.inputs.debezium_tables import ShopTables
from tests.support.worlds.join_world import reader_of

AT_US = 1_706_693_400_123_456
ORDER = {"id": 1001, "customer_id": 7, "placed_at": 1_706_693_400_000_000, "state": "paid"}
LINE = {"id": 5, "order_id": 1001, "maker": "Acme", "price": "12.50"}


def record(value: Any, at_ms: int = AT_US // 1_000) -> Record:
    data = value if isinstance(value, bytes) or value is None else json.dumps(value).encode()
    return Record("shop.orders", 0, 3, b"k", data, at_ms)


def test_a_new_order_and_a_new_line() -> None:
    shop = ShopTables()
    assert reader_of("orders").rows_in(record(shop.put("orders", ORDER, AT_US))) == [
        Row("1001", None, AT_US, ORDER)
    ]
    assert reader_of("items").rows_in(record(shop.put("items", LINE, AT_US))) == [
        Row("1001", "5", AT_US, LINE)
    ]


def test_with_a_schema_decimals_and_times_are_read_by_their_types() -> None:
    shop = ShopTables(schemas=True)
    (order,) = reader_of("orders").rows_in(record(shop.put("orders", ORDER, AT_US)))
    (line,) = reader_of("items").rows_in(record(shop.put("items", LINE, AT_US)))
    assert order.values == ORDER | {"placed_at": "2024-01-31T09:30:00Z"}
    assert line.values == LINE | {"price": Decimal("12.50")}


def test_an_unwrapped_row() -> None:
    unwrapped = LINE | {"__deleted": "false", "__source_ts_us": AT_US}
    assert reader_of("items").rows_in(record(unwrapped)) == [Row("1001", "5", AT_US, unwrapped)]
    gone = LINE | {"__deleted": "true", "__source_ts_us": AT_US}
    assert reader_of("items").rows_in(record(gone)) == [Row("1001", "5", AT_US, None, deleted=True)]


def test_a_framed_row_is_read_by_the_registry() -> None:
    frame = bytes([0, 0, 0, 0, 5])
    read = {frame + b"avro": {"op": "c", "after": LINE, "source": {"ts_us": AT_US}}}
    reader = replace(reader_of("items"), unframe=read.__getitem__)
    assert reader.rows_in(record(frame + b"avro")) == [Row("1001", "5", AT_US, LINE)]
    with pytest.raises(BadEvent, match=r"schema 5\): set schema_registry to the registry's address"):
        reader_of("items").rows_in(record(frame + b"avro"))


def test_a_line_that_moves_leaves_the_order_where_it_was() -> None:
    shop = ShopTables()
    shop.put("items", LINE, AT_US)
    moved = shop.put("items", LINE | {"order_id": 1002}, AT_US + 1)
    assert reader_of("items").rows_in(record(moved)) == [
        Row("1001", "5", AT_US + 1, None, deleted=True),
        Row("1002", "5", AT_US + 1, LINE | {"order_id": 1002}),
    ]
    nowhere = shop.put("items", LINE | {"order_id": None}, AT_US + 2)
    assert reader_of("items").rows_in(record(nowhere)) == [Row("1002", "5", AT_US + 2, None, deleted=True)]


def test_of_a_deleted_order_stays_only_which_it_was_and_whose() -> None:
    shop = ShopTables()
    shop.put("orders", ORDER, AT_US)
    kept = {name: value for name, value in ORDER.items() if name != "state"}
    assert reader_of("orders").rows_in(record(shop.remove("orders", 1001, AT_US))) == [
        Row("1001", None, AT_US, kept, deleted=True)
    ]


@pytest.mark.parametrize("value", [None, b"null", {"op": "m", "source": {}, "message": {}}])
def test_a_tombstone_and_a_message_of_debeziums_own_say_nothing(value: object) -> None:
    assert reader_of("orders").rows_in(record(value)) == []
    assert reader_of("items").rows_in(record(value)) == []


def change(op: str = "u", **sides: object) -> dict[str, object]:
    return {"op": op, "source": {"ts_us": AT_US}, **sides}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"{", "the value is not valid JSON: *"),
        ([1], "the value is an array, not a JSON object"),
        (change("x", after=LINE), 'op: "x" is not known: a change of Debezium has c, u, r or d'),
        (change(after=LINE | {"id": None}), "after.id: is missing"),
        (change(after=LINE | {"order_id": " "}), "after.order_id: is missing"),
        (change(after=LINE | {"order_id": None}), "after.order_id: is missing"),
        (change(after=LINE | {"order_id": {}}), "after.order_id: an object is *"),
        (change("d", before={"id": 5}), "before.order_id: is missing: set REPLICA IDENTITY FULL *"),
        (change("d", before={"id": 5, "order_id": 0}), "before.order_id: 0 is no order: set REPLICA *"),
        ({"op": "c", "after": LINE}, "source.ts_ms: is missing: send the time of the change"),
        (LINE, "__source_ts_ms: is missing: set add.fields = source.ts_ms in Debezium's *"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_in_one_sentence(value: object, reason: str) -> None:
    with pytest.raises(BadEvent) as caught:
        reader_of("items").rows_in(record(value))
    said = str(caught.value)
    assert said.startswith(reason.removesuffix("*"))
    assert reason.endswith("*") or said == reason


def test_a_wrong_decimal_names_its_column() -> None:
    shop = ShopTables(schemas=True)
    written = json.loads(shop.put("items", LINE, AT_US))
    written["payload"]["after"]["price"] = "!"
    with pytest.raises(BadEvent, match=r'^after\.price: "!" is not a value of the type .*Decimal$'):
        reader_of("items").rows_in(record(written))


def test_a_time_far_ahead_would_hold_all_later_changes_back() -> None:
    value = ShopTables().put("orders", ORDER, AT_US)
    reader = reader_of("orders", timedelta(hours=1))
    assert reader.rows_in(record(value, AT_US // 1_000 - 3_599_000))
    with pytest.raises(
        BadEvent, match=r"^source\.ts_us: 2024-01-31T09:30:00\.123456Z is more than 1:00:00 ahead"
    ):
        reader.rows_in(record(value, AT_US // 1_000 - 3_601_000))
    assert reader.rows_in(record(value, -1))  # a record without a time
