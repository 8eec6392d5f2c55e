"""Laws of `segue join`: whatever happens, the orders that it wrote are those of the tables."""

from __future__ import annotations

import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadEvent
from schemas.input_events import Order
from segue.join.row_records import row_in, row_record
from segue.join.table_rows import Row
from segue.join.whole_order import OrderState, fold, versions
from streamer.interfaces.lane_interfaces import Record
from tests.support.inputs.debezium_tables import ShopTables, Table
from tests.support.inputs.laws import examples
from tests.support.worlds.join_world import COLUMNS, PARTITIONS, TABLES, TOPICS, JoinWorld, reader_of

_START_US = 1_706_693_400_000_000
_CUSTOMERS = st.sampled_from([7, 8, 8, None])
_ORDERS, _ITEMS = st.integers(1, 2), st.integers(1, 4)

puts_order = st.tuples(st.just("order"), _ORDERS, _CUSTOMERS)
puts_line = st.tuples(st.just("line"), _ITEMS, _ORDERS)
removes_order = st.tuples(st.just("no order"), _ORDERS, st.none())
removes_line = st.tuples(st.just("no line"), _ITEMS, st.none())
# One lane works, or all do; then their commits may fail, or all lanes are killed after it.
_LANES = 3 * PARTITIONS
works = st.tuples(
    st.just("work"), st.integers(0, 2 * _LANES - 1), st.sampled_from([None, "before", "after", "crash"])
)
acts = st.lists(
    st.tuples(
        st.one_of(puts_order, puts_line, puts_line, removes_order, removes_line, works, works),
        st.integers(0, 1),
    ),
    min_size=20,
    max_size=80,
)


def history(
    acts: list[tuple[tuple[str, int, object], int]], *, schemas: bool
) -> tuple[ShopTables, JoinWorld]:
    """Let every action happen to the tables and the lanes, then let the lanes finish."""
    shop, world, at_us = ShopTables(schemas=schemas), JoinWorld(), _START_US
    for number, ((what, which, other), later_us) in enumerate(acts):
        at_us += later_us  # often no later: changes of one transaction have one time
        if what == "order":
            row = {"id": which, "customer_id": other, "placed_at": _START_US, "state": f"s{number}"}
            world.write("orders", which, shop.put("orders", row, at_us))
        elif what == "line":
            row = {"id": which, "order_id": other, "maker": f"m{number}", "price": f"{number}.50"}
            world.write("items", which, shop.put("items", row, at_us))
        elif what == "no order" and which in shop.orders:
            world.write("orders", which, shop.remove("orders", which, at_us))
            world.write("orders", which, None)
        elif what == "no line" and which in shop.items:
            world.write("items", which, shop.remove("items", which, at_us))
            world.write("items", which, None)
        elif what == "work":
            for lane in range(_LANES) if which >= _LANES else [which]:
                world.step(lane, None if other in (None, "crash") else str(other))
                if other == "crash":
                    world.crash(lane)
    world.finish()
    return shop, world


def by_user_and_order(versions: list[Order]) -> dict[tuple[str, str], list[Order]]:
    found: dict[tuple[str, str], list[Order]] = {}
    for version in versions:
        found.setdefault((version.user_id, version.order_id), []).append(version)
    return found


@given(acts, st.booleans())
@examples(60)
def test_the_last_version_of_every_order_is_that_of_the_tables(
    acts: list[tuple[tuple[str, int, object], int]], schemas: bool
) -> None:
    shop, world = history(acts, schemas=schemas)
    written = by_user_and_order(world.orders())
    whole = {
        (str(row["customer_id"]), str(number))
        for number, row in shop.orders.items()
        if row["customer_id"] is not None and shop.lines_of(number)
    }
    assert whole <= written.keys()
    for key, of_order in written.items():
        last = of_order[-1]
        if key in whole:
            order, lines = shop.orders[int(last.order_id)], shop.lines_of(int(last.order_id))
            assert last.status == order["state"]
            assert [item.brand for item in last.items] == [line["maker"] for line in lines]
        else:
            assert last.status == "Deleted"


@given(acts)
@examples(30)
def test_every_row_is_handed_on_once(acts: list[tuple[tuple[str, int, object], int]]) -> None:
    _, world = history(acts, schemas=False)
    expected = [
        row
        for table, topic in (("orders", TABLES.orders), ("items", TABLES.items))
        for record in world.records(topic)
        for row in reader_of("orders" if table == "orders" else "items").rows_in(record)
    ]
    handed_on = [row_in(record) for record in world.records(TOPICS.order_rows)]
    assert sorted(map(str, handed_on)) == sorted(map(str, expected))


@given(acts)
@examples(60)
def test_every_version_is_newer_than_the_one_before(acts: list[tuple[tuple[str, int, object], int]]) -> None:
    _, world = history(acts, schemas=False)
    for of_order in by_user_and_order(world.orders()).values():
        times = [version.updated_at for version in of_order]
        assert all(one is not None and two is not None and one < two for one, two in pairwise(times))


TYPES = [
    "io.debezium.time.Date",
    "io.debezium.time.MicroTimestamp",
    "io.debezium.time.NanoTimestamp",
    "org.apache.kafka.connect.data.Decimal",
]
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", " ", "7.0", "__debezium_unavailable_value", "BOI=", '{"a": [1]}', "Ön\x00"]),
)
anything = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
)
columns = st.sampled_from(
    ["id", "order_id", "customer_id", "placed_at", "maker", "price", "__deleted", "source"]
)
sides = st.one_of(leaves, st.dictionaries(columns, anything))
schemas = st.fixed_dictionaries(
    {"field": st.sampled_from(["after", "before"])},
    optional={"fields": st.lists(st.fixed_dictionaries({"field": columns, "name": st.sampled_from(TYPES)}))},
)
changes = st.fixed_dictionaries(
    {
        "op": st.sampled_from(["c", "u", "d", "r", "t", "m", 7]),
        "source": st.just({"ts_us": _START_US}) | leaves,
    },
    optional={"before": sides, "after": sides},
)
wrapped = st.fixed_dictionaries(
    {"schema": st.fixed_dictionaries({"fields": st.lists(schemas) | leaves}), "payload": changes}
)


@given(st.one_of(changes, wrapped, sides, anything), st.sampled_from(["orders", "items"]))
@examples(150)
def test_any_record_is_a_row_or_a_dead_letter(value: object, table: Table) -> None:
    record = Record("t", 0, 0, None, json.dumps(value).encode(), -1)
    try:
        rows = reader_of(table).rows_in(record)
    except BadEvent:
        return
    for row in rows:
        out = row_record(row, TOPICS, 0)
        back = row_in(Record(out.topic, 0, 0, out.key, out.value, -1))
        assert back is not None
        assert (back.order_id, back.item_id, back.at_us, back.deleted) == (
            row.order_id,
            row.item_id,
            row.at_us,
            row.deleted,
        )
        assert str(back.values) == str(row.values)
        # What the other table's row would say does not matter here: any state gives versions or none.
        line = Row(row.order_id, "1", _START_US, {"id": 1, "order_id": row.order_id})
        order = Row(row.order_id, None, _START_US, {"id": row.order_id, "customer_id": 7})
        after = fold(fold(OrderState(), order if row.item_id else line), back)
        versions(OrderState(), after, COLUMNS)
