"""The kinds of features in SQL, by hand: one shop, worked out on paper."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from schemas.errors import BadSetting
from schemas.features import FEATURES, Feature, declared
from schemas.input_events import Signup
from tests.support.inputs.shops import Shop, features_by_user, write_duckdb, write_parquet
from tests.support.strategies.features import RICH
from trainer.warehouse import Reading, open_warehouse, schema_of


def row_of(shop: Shop, folder: Path, user_id: str = "u") -> dict[str, Any]:
    with open_warehouse(write_parquet(shop, folder)) as warehouse:
        table = warehouse.features(None, (), RICH)
    assert table.schema.equals(schema_of(RICH))
    return next(row for row in table.to_pylist() if row["user_id"] == user_id)


def test_numbers(tmp_path: Path) -> None:
    shop = Shop().user("u")
    shop.order("1", "u", [{"sale_price": "0.1", "quantity": "3"}, {"sale_price": "20"}], "2024-01-01")
    shop.order("2", "u", [{"sale_price": "0.2"}, {"quantity": "2"}], "2024-01-02")
    row = row_of(shop, tmp_path)
    # Order 1 is worth 3 x 0.1 + 20 = 20.3, order 2 is worth 0.2; the items have 3, 1, 1 and 2 pieces.
    assert row["sum_of_order_value"] == row["sum_of_price"] == 20.5
    assert (row["mean_of_order_value"], row["mean_of_price"], row["mean_of_quantity"]) == (10.25, 4.1, 1.75)
    assert (row["min_of_price"], row["max_of_price"], row["last_of_price"]) == (0.1, 20.0, 0.2)
    assert (row["min_of_order_value"], row["max_of_order_value"], row["last_of_order_value"]) == (
        0.2,
        20.3,
        0.2,
    )
    assert (row["sum_of_quantity"], row["min_of_quantity"], row["max_of_quantity"]) == (7.0, 1.0, 3.0)
    assert row["last_of_quantity"] == 2.0


def test_the_interval(tmp_path: Path) -> None:
    shop = Shop().user("u").user("once")
    for order_id, at in (("1", "2024-01-05"), ("2", "2024-01-01"), ("3", "2024-01-02T12:00:00.000001Z")):
        shop.order(order_id, "u", [{}], at)
    shop.order("4", "once", [{}], "2024-01-05")
    assert row_of(shop, tmp_path)["interval_of_order_id"] == 2.0  # four days by two gaps
    assert row_of(shop, tmp_path, "once")["interval_of_order_id"] is None


TIMED = tuple(
    Feature(name, "days_since", source)
    for name, source in (
        ("last", "last_order"),
        ("first", "first_order"),
        ("signup", "signup"),
        ("born", "user.born"),
    )
)


def test_days_since(tmp_path: Path) -> None:
    shop = Shop().user("u", "2024-07-02", born="2000-07-09").user("u", "2024-07-04").user("new", "2024-07-12")
    shop.order("1", "u", [], "2024-07-03 23:00").order("2", "u", [], "2024-07-05")
    shop.order("3", "u", [], "2024-07-11").order("4", "today", [], "2024-07-10 21:59:59")
    reading = Reading(features=TIMED, time_zone="Europe/Berlin")
    with open_warehouse(write_parquet(shop, tmp_path), reading=reading) as warehouse:
        table = warehouse.features(None, (), TIMED, day=date(2024, 7, 10))
        # The last day before a time: until then it is still the 10th in Berlin.
        assert warehouse.features(datetime(2024, 7, 10, 22, tzinfo=UTC), (), TIMED).num_rows == 2
        with pytest.raises(BadSetting, match="setting as_of is None: features of time are declared"):
            warehouse.features(None, (), TIMED)
    assert table.schema.equals(schema_of(TIMED))
    new, today, u = table.to_pylist()
    assert (today["last"], today["first"]) == (0, 0)
    assert u == {"user_id": "u", "last": 5, "first": 6, "signup": 8, "born": 24 * 365 + 6 + 1}
    assert new == {"user_id": "new"} | dict.fromkeys(("last", "first", "signup", "born"))


def test_windows(tmp_path: Path) -> None:
    read = (
        Feature("orders", "count", "order_id", window=3),
        Feature("spend", "sum", "price", window=3),
        Feature("usual", "mean", "price", window=2),
        Feature("brands", "distinct", "brand", window=3),
        Feature("brand", "most_frequent", "brand", window=3),
    )
    shop = Shop().user("u").user("old")
    shop.order("1", "u", [{"sale_price": "100"}], "2024-07-01 21:59")
    shop.order("2", "u", [{"sale_price": "10"}, {"sale_price": "5"}], "2024-07-01 22:00")
    shop.order("3", "u", ["Beta/Hats"], "2024-07-04 21:59").order("4", "u", ["Beta/Hats"], "2024-07-04 22:00")
    shop.order("5", "old", created_at="2024-01-01")
    reading = Reading(features=read, time_zone="Europe/Berlin", today=date(2024, 7, 4))
    with open_warehouse(write_parquet(shop, tmp_path), reading=reading) as warehouse:
        table = warehouse.features(None, (), read)
    # In Berlin the second and the third order lie on the 2nd and on the 4th, the others outside.
    assert table.schema.equals(schema_of(read))
    assert table.to_pylist() == [
        {"user_id": "old", "orders": None, "spend": None, "usual": None, "brands": None, "brand": None},
        {"user_id": "u", "orders": 2, "spend": 15.0, "usual": None, "brands": 2, "brand": "Acme"},
    ]


def test_dates_in_columns_of_types(tmp_path: Path) -> None:
    path = write_duckdb(Shop().user("u"), tmp_path / "shop.duckdb")
    with duckdb.connect(path) as connection:
        connection.execute("alter table users add born date; update users set born = '1990-05-01'")
        connection.execute(
            "alter table users add met timestamptz; update users set met = '2024-01-01 23:30+00'"
        )
    read = Feature("born", "days_since", "user.born"), Feature("met", "days_since", "user.met")
    reading = Reading(features=read, time_zone="Europe/Berlin", today=date(2024, 1, 3))
    with open_warehouse(path, reading=reading) as warehouse:
        (row,) = warehouse.features(None, (), read).to_pylist()
        (signup,) = warehouse.events()
    assert (row["born"], row["met"]) == ((date(2024, 1, 3) - date(1990, 5, 1)).days, 1)
    assert isinstance(signup, Signup)
    assert signup.own == {"user.born": "1990-05-01", "user.met": "2024-01-02"}


def test_a_price_counts_within_the_bounds_and_to_a_millionth(tmp_path: Path) -> None:
    items: list[tuple[str, str | None, float | None]] = [
        ("1000000000000", "1000000", 1e18),
        ("-1000000000000", None, -1e12),
        ("1000000000000.001", None, None),
        ("1e300", None, None),
        ("1", "1000001", None),
        ("0.0000005", "2", 2e-6),
        ("0.0000004", "2", 0.0),
    ]
    shop = Shop()
    for number, (price, quantity, _) in enumerate(items):
        item = {"sale_price": price, "quantity": quantity}
        shop.user(f"u{number}").order(f"{number}", f"u{number}", [item])
    rows = features_by_user(write_parquet(shop, tmp_path), features=RICH)
    for number, (price, quantity, total) in enumerate(items):
        row = rows[f"u{number}"]
        told = (row["sum_of_price"], row["sum_of_order_value"], row["last_of_order_value"])
        assert told == (total, total, total), (price, quantity)


def test_texts(tmp_path: Path) -> None:
    shop = Shop().user("u").order("a", "u", ["Acme/Hats", "Acme/Hats", "Beta/Shoes"], "2024-01-02", "Shipped")
    shop.order("b", "u", ["Zeta/", "/Shoes"], "2024-01-02", None)
    shop.order("c", "u", ["Beta/Hats"], "2024-01-01", "Shipped")
    row = row_of(shop, tmp_path)
    # Orders a and b are equally new: b is the larger id. It has no status, so a's is the last.
    assert (row["last_of_brand"], row["last_of_category"], row["last_of_status"]) == (
        "Zeta",
        "Shoes",
        "Shipped",
    )
    assert (row["distinct_of_brand"], row["distinct_of_category"], row["distinct_of_status"]) == (3, 2, 1)
    # Acme and Beta have two items each; Beta was held first.
    assert (row["most_frequent_of_brand"], row["most_frequent_of_category"]) == ("Beta", "Hats")
    assert (row["distinct_of_product_id"], row["last_of_product_id"], row["sum_of_price"]) == (None,) * 3


def test_names_that_are_words_of_sql_and_the_order_of_columns(tmp_path: Path) -> None:
    features = declared([Feature("select", "sum", "price"), Feature("order", "count", "order_id")])
    shop = Shop().user("u").order("1", "u", [{"sale_price": "2.5"}])
    with open_warehouse(write_parquet(shop, tmp_path)) as warehouse:
        (row,) = warehouse.features(None, (), features[::-1]).to_pylist()
    assert list(row) == ["user_id", "order", "select", *(feature.name for feature in FEATURES[::-1])]
    assert (row["order"], row["select"]) == (1, 2.5)


def test_the_query_has_the_steps_that_its_features_need_and_no_others(tmp_path: Path) -> None:
    with open_warehouse(write_parquet(Shop().user("u"), tmp_path)) as warehouse:
        assert "counted_items" not in warehouse.feature_query(None, (), FEATURES[:1])
        text = warehouse.feature_query(None, (), FEATURES)
        assert "counted_items" in text
        assert "price_values" not in text
