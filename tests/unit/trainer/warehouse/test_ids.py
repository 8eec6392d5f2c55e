"""Ids that went through floats: refused with a sample, or read whole by a setting; never two users."""

from pathlib import Path

import duckdb
import pytest

from schemas.errors import BadWarehouse
from schemas.input_events import Order
from tests.support.inputs.shops import Shop, write_csv, write_duckdb
from trainer.warehouse import Reading, open_warehouse

WHOLE = Reading(whole_ids=True)


def refusal(warehouse: Path | str, reading: Reading | None = None) -> str:
    with pytest.raises(BadWarehouse) as caught:
        open_warehouse(warehouse, reading=reading)
    return str(caught.value)


@pytest.mark.parametrize(
    ("shop", "column", "count", "line"),
    [
        (Shop().user("1").user("17850.0"), "id of {}/users.csv", "1 of 2", 3),
        (Shop().user("17850.0").order("1", "17850.0"), "id of {}/users.csv", "1 of 1", 2),
        (Shop().user("17850").order("1", "17850.0"), "user_id of {}/orders.csv", "1 of 1", 2),
        (Shop().user("7").order("17850.0", "7"), "order_id of {}/orders.csv", "1 of 1", 2),
        (Shop().user("7").order("1", "7").item("17850.00"), "order_id of {}/order_items.csv", "1 of 2", 3),
        (
            Shop().user("7").order("1", "7", [{"inventory_item_id": "17850.0"}]),
            "inventory_item_id of {}/order_items.csv",
            "1 of 1",
            2,
        ),
    ],
)
def test_a_float_among_ids_is_refused_with_its_line(
    tmp_path: Path, shop: Shop, column: str, count: str, line: int
) -> None:
    told = refusal(write_csv(shop, tmp_path))
    assert told.startswith(
        f"column {column.format(tmp_path)}: {count} ids are whole numbers written as floats"
    )
    assert '"17850.0' in told
    assert f'in line {line}, and the stream would know "17850"' in told
    assert told.endswith("write them whole, or set whole_ids = true in segue.toml")


def test_a_product_s_id_counts_where_a_feature_reads_it(tmp_path: Path) -> None:
    shop = Shop().user("7").order("1", "7", [{"product_id": "3.0"}])
    folder = write_csv(shop, tmp_path)
    assert "column product_id of " in refusal(folder)
    with open_warehouse(folder, reading=Reading(features=())) as warehouse:
        assert warehouse.counts().orders == 1


def test_ids_are_read_whole_by_a_setting_in_every_table(tmp_path: Path) -> None:
    shop = Shop().user("7.0", country="Spain").order("1.0", "7", [{"product_id": "3.00"}]).order("2", "7.0")
    shop.orders[0]["order_id"] = "1"
    shop.order_items[0]["inventory_item_id"], shop.inventory_items[0]["id"] = "9", "9.0"
    with open_warehouse(write_csv(shop, tmp_path), reading=WHOLE) as warehouse:
        (row,) = warehouse.features().to_pylist()
        events = list(warehouse.events())
        assert warehouse.notes() == []
    assert (row["user_id"], row["country"], row["total_orders"]) == ("7", "Spain", 2)
    assert row["most_frequent_brand"] == "Acme"
    assert [getattr(event, "order_id", None) for event in events] == [None, "1", "2"]
    assert isinstance(events[1], Order)
    assert events[1].items[0].product_id == "3"


def test_only_a_whole_number_is_made_whole(tmp_path: Path) -> None:
    ids = ["007", "7.5", "7.", ".0", "1e3", "7.0.0", "a7.0", "7.0 ", "-7.0"]
    shop = Shop()
    for user in ids:
        shop.user(user)
    with open_warehouse(write_csv(shop, tmp_path), reading=WHOLE) as warehouse:
        assert set(warehouse.features()["user_id"].to_pylist()) == {*ids[:-1], "-7"}


@pytest.mark.parametrize("kind", ["double", "float", "decimal(18, 2)"])
def test_numbers_that_may_be_fractions_are_read_whole_by_a_setting(tmp_path: Path, kind: str) -> None:
    path = write_duckdb(Shop().user("17850").user("-3").order("1", "17850"), tmp_path / "shop.duckdb")
    with duckdb.connect(path) as connection:
        connection.execute(f"alter table users alter id type {kind}")
        connection.execute("insert into users (id) values (null)")
        if kind != "decimal(18, 2)":
            connection.execute("insert into users (id) values ('nan')")
    with open_warehouse(path, reading=WHOLE) as warehouse:
        rows = {row["user_id"]: row["total_orders"] for row in warehouse.features().to_pylist()}
        assert {r.reason for r in warehouse.rejected()} == {"user_id is missing"}
    assert rows == {"17850": 1, "-3": None}


@pytest.mark.parametrize("wrong", ["7.5", "1e300", "9007199254740994"])
def test_a_fraction_and_what_a_double_does_not_hold_are_refused(tmp_path: Path, wrong: str) -> None:
    path = write_duckdb(Shop().user("7").user(wrong), tmp_path / "shop.duckdb")
    with duckdb.connect(path) as connection:
        connection.execute("alter table users alter id type double")
    told = refusal(path, WHOLE)
    assert told.startswith(
        f"column users.id of DuckDB file {path}: 1 of 2 ids are no whole numbers up to 2^53, for example "
    )
