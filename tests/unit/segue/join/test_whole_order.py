"""The join of rows: when an order is whole, its versions, and that lanes read them as Segue's own events."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from msgspec.structs import replace

from schemas.input_events import Item, Order
from schemas.inputs.decode import decode_order
from schemas.times import EPOCH
from segue.config.others.event_forms import forms_of
from segue.join.order_columns import OrderColumns
from segue.join.table_rows import Row
from segue.join.whole_order import OrderState, encode_state, fold, state_of, versions
from streamer.interfaces.lane_interfaces import Record
from tests.support.inputs.debezium_tables import EVENTS, ShopTables
from tests.support.worlds.join_world import COLUMNS, READ, event_of, reader_of

AT_US = 1_706_693_400_000_000
WAITS = OrderState()
ORDER_ROW = {"id": 1001, "customer_id": 7, "placed_at": AT_US, "state": "paid"}
ORDER = Row("1001", None, AT_US, ORDER_ROW)
FIRST = Row("1001", "9", AT_US, {"id": 9, "order_id": 1001, "maker": "Acme", "price": "12.50"})
SECOND = Row("1001", "10", AT_US, {"id": 10, "order_id": 1001, "maker": "Ön", "price": 3})
DELETED = Row("1001", None, AT_US, {"id": 1001, "customer_id": 0, "placed_at": 0}, deleted=True)
NO_FIRST = Row("1001", "9", AT_US, None, deleted=True)


def joined(*rows: Row) -> OrderState:
    state = WAITS
    for row in rows:
        state = fold(state, row)
    return state


def written(before: OrderState, after: OrderState) -> list[Order]:
    found = versions(before, after, COLUMNS)
    keys = [None if each.user_id is None else each.user_id.encode() for each in found]
    return [
        event_of(Record("orders", 0, 0, key, each.value, 0)) for key, each in zip(keys, found, strict=True)
    ]


def test_rows_in_any_order_give_the_whole_order() -> None:
    for rows in permutations([ORDER, FIRST, SECOND]):
        (order,) = written(WAITS, joined(*rows))
        assert order == Order(
            "7",
            "1001",
            EPOCH + timedelta(microseconds=AT_US),
            (Item("Acme", price=12.5), Item("Ön", price=3)),  # line 9 stands before line 10
            "paid",
            # Three rows of one time: the third one is two microseconds later.
            EPOCH + timedelta(microseconds=AT_US + 2),
        )


def test_a_line_waits_for_its_order_and_an_order_for_its_first_line() -> None:
    assert written(WAITS, joined(FIRST)) == []
    assert written(WAITS, joined(ORDER)) == []
    assert written(joined(ORDER), joined(ORDER, FIRST)) != []


def test_a_deleted_line_leaves_the_order() -> None:
    whole = joined(ORDER, FIRST, SECOND)
    (order,) = written(whole, fold(whole, NO_FIRST))
    assert [item.brand for item in order.items] == ["Ön"]


def test_an_order_without_its_last_line_is_gone_and_comes_back_with_a_new_line() -> None:
    whole = joined(ORDER, FIRST)
    empty = fold(whole, NO_FIRST)
    (order,) = written(whole, empty)
    assert (order.status, order.user_id) == ("Deleted", "7")
    assert written(empty, fold(empty, replace(ORDER, values=ORDER_ROW | {"state": "x"}))) == []
    (order,) = written(empty, fold(empty, SECOND))
    assert order.status == "paid"


def test_a_deleted_order_is_a_version_of_its_user_even_if_the_log_has_only_its_key() -> None:
    """PostgreSQL without REPLICA IDENTITY FULL: the other columns are 0."""
    whole = joined(ORDER, FIRST)
    gone = fold(whole, DELETED)
    (order,) = written(whole, gone)
    assert (order.status, order.user_id) == ("Deleted", "7")
    assert order.created_at == EPOCH + timedelta(microseconds=AT_US)


def test_lines_of_a_deleted_order_write_nothing() -> None:
    gone = joined(ORDER, FIRST, DELETED)
    assert written(gone, fold(gone, SECOND)) == []
    assert written(joined(ORDER), joined(ORDER, DELETED)) == []  # no lane knew it


def test_an_order_of_another_user_is_gone_for_the_former() -> None:
    whole = joined(ORDER, FIRST)
    moved = fold(whole, replace(ORDER, values=ORDER_ROW | {"customer_id": 8}))
    former, now = written(whole, moved)
    assert (former.user_id, former.status) == ("7", "Deleted")
    assert (now.user_id, now.status) == ("8", "paid")


def test_an_order_of_nobody_is_written_for_a_lane_to_refuse() -> None:
    (version,) = versions(
        WAITS, joined(replace(ORDER, values=ORDER_ROW | {"customer_id": None}), FIRST), COLUMNS
    )
    assert version.user_id is None


@pytest.mark.parametrize("schemas", [True, False])
def test_lanes_read_the_order_as_they_read_segues_own(schemas: bool) -> None:
    shop = ShopTables(schemas=schemas)
    made = [
        ("orders", shop.put("orders", ORDER_ROW, AT_US)),
        ("items", shop.put("items", {"id": 1, "order_id": 1001, "maker": "Acme", "price": "0.10"}, AT_US)),
    ]
    rows = [
        row
        for table, value in made
        for row in reader_of("orders" if table == "orders" else "items").rows_in(
            Record("t", 0, 0, None, value, -1)
        )
    ]
    own = {
        "order_id": 1001,
        "user_id": 7,
        "created_at": "2024-01-31T09:30:00Z",
        "updated_at": "2024-01-31T09:30:00.000001Z",
        "status": "paid",
        "items": [{"brand": "Acme", "price": 0.10}],
    }
    at = datetime(2024, 2, 1, tzinfo=UTC)
    assert written(WAITS, joined(*rows)) == [decode_order(b"7", json.dumps(own).encode(), at, read=READ)]


def test_paths_may_lead_into_columns_of_json_and_a_users_id_may_have_other_values() -> None:
    orders = EVENTS["orders"] | {
        "user_id": "who.id",
        "values": {"user_id": {"7": "k7"}},
        "item": {"brand": "attrs.maker"},
    }
    form = forms_of({"orders": orders}).orders
    assert form is not None
    columns = OrderColumns(form, READ)
    order = {"id": 1001, "who": '{"id": 7}', "placed_at": AT_US}
    line = {"id": 9, "order_id": 1001, "attrs": '{"maker": "Acme"}'}
    after = joined(Row("1001", None, AT_US, order), Row("1001", "9", AT_US, line))
    (version,) = versions(WAITS, after, columns)
    event = decode_order(b"k7", version.value, datetime(2024, 2, 1, tzinfo=UTC), read=READ, form=form)
    assert (version.user_id, event.user_id, event.items) == ("k7", "k7", (Item("Acme"),))


def test_each_row_makes_a_later_version() -> None:
    late = replace(FIRST, at_us=AT_US + 50)
    assert joined(ORDER, late, SECOND).at_us == AT_US + 51
    assert joined(ORDER, SECOND, late).at_us == AT_US + 50


def test_a_state_is_kept_as_bytes() -> None:
    state = joined(ORDER, FIRST, NO_FIRST)
    assert state_of(encode_state(state)) == state
    assert state_of(None) == WAITS
