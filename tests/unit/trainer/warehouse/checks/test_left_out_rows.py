"""The messages about rows that are left out, and about a warehouse with nobody left to train on."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from schemas.features import FEATURES, Feature
from schemas.input_events import Order, Signup
from tests.support.inputs.shops import Shop, write_csv, write_duckdb
from trainer.warehouse import Csv, Reading, open_warehouse
from trainer.warehouse.tables.table_names import Names

SPEND = Feature("total_spend", "sum", "order_value")
AGELESS = tuple(feature for feature in FEATURES if feature.name != "age")
WITHOUT_AGE = Reading(features=AGELESS)
EVERYTHING = Reading(features=(*FEATURES, SPEND))
COUNTED = Feature("total_orders", "count", "order_id")


def notes(warehouse: Path | str, reading: Reading = EVERYTHING, as_of: datetime | None = None) -> list[str]:
    with open_warehouse(warehouse, reading=reading) as opened:
        return opened.notes(as_of)


def cause(warehouse: Path | str, reading: Reading = EVERYTHING) -> str | None:
    with open_warehouse(warehouse, reading=reading) as opened:
        return opened.cause()


def test_a_wrong_value_is_told_with_its_line_and_the_setting_that_helps(tmp_path: Path) -> None:
    shop = Shop().user("6", age="25", country="two\nlines")
    for number, age in enumerate(["]45;55]", "]25;35]", "]45;55]", "]65;75]"]):
        shop.user(str(number), age=age)
    assert notes(write_csv(shop, tmp_path)) == [
        (
            'left out: 4 rows of users: age is not a number, for example "]45;55]" (users.csv, line 4), '
            '"]25;35]" (users.csv, line 5) and "]65;75]" (users.csv, line 7); correct them, or leave age out '
            "of the setting features"
        )
    ]


def test_a_value_that_no_feature_reads_rejects_no_row(tmp_path: Path) -> None:
    shop = Shop().user("7", age="]45;55]", gender="F").user("8", age="200", gender="M")
    shop.order("1", "7", [{"sale_price": "12,50"}, {"product_id": "x" * 257}], status="s" * 1025)
    with open_warehouse(write_csv(shop, tmp_path), reading=WITHOUT_AGE) as warehouse:
        assert warehouse.notes() == []
        rows = warehouse.features(features=AGELESS).to_pylist()
        signup, _, order = warehouse.events()
    assert [(row["user_id"], row["gender"], row["total_orders"]) for row in rows] == [
        ("7", "F", 1),
        ("8", "M", None),
    ]
    assert isinstance(signup, Signup)
    assert isinstance(order, Order)
    assert (signup.age, order.status, {(item.price, item.product_id) for item in order.items}) == (
        None,
        None,
        {(None, None)},
    )


@pytest.mark.parametrize(
    ("reading", "orders"),
    [
        (Reading(features=(COUNTED,)), 1),
        (Reading(features=(COUNTED, Feature("brands", "distinct", "brand"))), 1),
        (Reading(features=(Feature("brand", "most_frequent", "brand"),)), 0),
        (Reading(features=(SPEND,)), 0),
    ],
)
def test_a_quantity_counts_where_items_are_counted(tmp_path: Path, reading: Reading, orders: int) -> None:
    shop = Shop().user("7").order("1", "7", [{"quantity": "-1"}])
    with open_warehouse(write_csv(shop, tmp_path), reading=reading) as warehouse:
        assert warehouse.counts().orders == orders


def test_a_status_counts_where_orders_are_excluded_by_it(tmp_path: Path) -> None:
    folder = write_csv(Shop().user("7").order("1", "7", status="s" * 1025), tmp_path)
    with open_warehouse(folder, reading=Reading(features=(COUNTED,))) as warehouse:
        assert warehouse.counts().orders == 1
    with open_warehouse(folder, reading=Reading(features=(COUNTED,), statuses=True)) as warehouse:
        assert warehouse.counts().orders == 0


def test_an_item_s_value_is_told_with_the_item_s_line(tmp_path: Path) -> None:
    shop = Shop().user("7").order("1", "7", ["Acme/Shoes", {"sale_price": "12,50"}])
    assert notes(write_csv(shop, tmp_path)) == [
        (
            'left out: 1 row of orders: an item\'s price is not a finite number, for example "12,50" '
            '(order_items.csv, line 3); the decimal mark is a point: 12.50, or set decimal = "," under [csv] '
            "in segue.toml; correct it, or leave total_spend out of the setting declare"
        )
    ]


def test_a_time_is_told_with_the_forms_that_are_taken(tmp_path: Path) -> None:
    shop = Shop().user("7").order("1", "7", created_at="1733254260").order("2", "7", created_at="31.12.2024")
    assert notes(write_csv(shop, tmp_path)) == [
        (
            'left out: 2 rows of orders: created_at is not a time, for example "1733254260" (orders.csv, '
            'line 2) and "31.12.2024" (orders.csv, line 3); a time is written as 2024-01-31, 2024-01-31 '
            "09:30, 2024-01-31 09:30:00 or 2024-01-31T09:30:00+01:00; declare another form under [csv] in "
            'segue.toml, such as dates = "%d.%m.%Y"'
        )
    ]


def test_a_word_for_nothing_names_the_setting(tmp_path: Path) -> None:
    told = notes(write_csv(Shop().user("7", age="NULL"), tmp_path))
    assert any(
        'for example "NULL" (users.csv, line 2); where "NULL" means nothing, set nulls = ["NULL"] under '
        "[csv] in segue.toml; correct it, or leave age out" in note
        for note in told
    )


def test_a_database_tells_the_ids(tmp_path: Path) -> None:
    shop = (
        Shop().user("7", age="old").user(None).order("1", None).order("2", "7", [{"quantity": "0"}]).item("3")
    )
    assert sorted(notes(write_duckdb(shop, tmp_path / "shop.duckdb"))) == [
        'left out: 1 row of order_items: no order has its order_id, for example order_id "3"',
        (
            "left out: 1 row of orders: an item's quantity is not a whole number of at least 1, for "
            'example "0" (order_id "2"); a line of no purchase, such as a refund, is left out by a query for '
            "order_items under [tables] in segue.toml: where coalesce(quantity, 1) > 0"
        ),
        'left out: 1 row of orders: user_id is missing, for example order_id "1"',
        (
            'left out: 1 row of users: age is not a number, for example "old" (user_id "7"); correct it, '
            "or leave age out of the setting features"
        ),
        "left out: 1 row of users: user_id is missing",
    ]


def test_a_refund_is_no_matter_of_the_form_of_numbers(tmp_path: Path) -> None:
    shop = Shop().order("1", "7", [{"quantity": "-1"}]).order("2", "7", [{"quantity": "-1"}])
    reading = Reading(Csv(decimal=","), features=(SPEND,))
    refund = "where coalesce(try_cast(quantity as double), 1) > 0"
    (told,) = notes(write_csv(shop, tmp_path / "refunds"), reading)
    assert told.endswith(refund)
    assert "1.234,50" not in told
    shop.order("3", "7", [{"quantity": "gratis"}])
    (told,) = notes(write_csv(shop, tmp_path / "both"), reading)
    assert told.endswith(
        f"{refund}; [csv] in segue.toml says that a number is written as 1.234,50; correct it, or leave "
        "total_spend out of the setting declare"
    )


def test_words_of_a_boolean_are_named_with_a_query_for_others(tmp_path: Path) -> None:
    news = Feature("news", "attribute", "user.newsletter", type="boolean")
    folder = write_csv(Shop().user("7", newsletter="tak").user("8", newsletter="YES"), tmp_path)
    assert notes(folder, Reading(features=(news,))) == [
        (
            "left out: 1 row of users: newsletter is neither true nor false, for example "
            '"tak" (users.csv, line 2); true, t, 1, yes, y are true and false, f, 0, no, n false; translate '
            "other words by a query under [tables]: case newsletter when '…' then 'true' when '…' then "
            "'false' end; correct it, or leave news out of the setting declare"
        )
    ]


def test_what_is_shown_of_a_value_is_safe_and_short(tmp_path: Path) -> None:
    (told,) = notes(write_csv(Shop().user("7", age="\x1b[31m\x9b" + "x" * 500), tmp_path))
    assert told.isprintable()
    assert len(told) < 300


def test_a_zipped_file_and_another_name_of_the_table(tmp_path: Path) -> None:
    (told,) = notes(write_csv(Shop().user("7", age="old"), tmp_path, zipped=True))
    assert '"old" (users.csv.gz, line 2)' in told


def test_rows_after_as_of_are_not_told(tmp_path: Path) -> None:
    folder = write_csv(Shop().user("7", "2024-06-01", age="old").user("8", "2024-01-01"), tmp_path)
    assert notes(folder, as_of=datetime(2024, 5, 1, tzinfo=UTC)) == []


def test_the_cause_is_the_rows_that_were_left_out(tmp_path: Path) -> None:
    shop = Shop().user("1", age="]45;55]").user("2", age="]45;55]").user("3", age="30").order("1", "3")
    told = cause(write_csv(shop, tmp_path))
    assert told is not None
    assert told.startswith(
        'left out are 2 rows of users: age is not a number, for example "]45;55]" (users.csv, line 2)'
    )


def test_the_cause_is_no_row_where_few_are_left_out(tmp_path: Path) -> None:
    shop = Shop().user("1", age="old").user("2").user("3").order("1", "3")
    assert cause(write_csv(shop, tmp_path)) is None


def test_the_cause_is_ids_that_do_not_meet(tmp_path: Path) -> None:
    shop = Shop().user("7").user("8").order("1", "C7").order("2", "C8")
    assert cause(write_csv(shop, tmp_path)) == (
        'no user has both a profile and an order: users has ids such as "7", "8", and orders has "C7", "C8"'
    )


def test_the_cause_is_orders_and_items_that_do_not_meet(tmp_path: Path) -> None:
    shop = Shop().user("7").order("O1", "7", []).item("1")
    assert cause(write_csv(shop, tmp_path)) == (
        "left out are 1 row of orders: the order has no items, for example line 2 of orders.csv; 1 row of "
        'order_items: no order has its order_id, for example "1" (order_items.csv, line 2)'
    )


def test_the_cause_is_items_that_nobody_knows(tmp_path: Path) -> None:
    shop = Shop().user("7").order("1", "7", [{"inventory_item_id": "SKU-1"}])
    assert cause(write_csv(shop, tmp_path)) == (
        'no item that was sold is known: order_items has inventory_item_id "SKU-1", and inventory_items has '
        '"i0"'
    )


def test_the_cause_is_no_item_where_no_feature_reads_brand_or_category(tmp_path: Path) -> None:
    shop = Shop().user("7").order("1", "7", [{"inventory_item_id": "SKU-1"}])
    assert cause(write_csv(shop, tmp_path), Reading(features=(COUNTED, SPEND))) is None


def test_the_cause_is_a_table_without_orders(tmp_path: Path) -> None:
    assert cause(write_csv(Shop().user("7"), tmp_path)) == "table orders has no rows that count"


def test_tables_have_the_shop_s_names(tmp_path: Path) -> None:
    folder = write_csv(Shop().user("7"), tmp_path)
    (folder / "orders.csv").rename(folder / "bestellungen.csv")
    names = Names({"orders": "bestellungen"})
    with open_warehouse(folder, names) as warehouse:
        assert warehouse.cause() == "table bestellungen (setting tables.orders) has no rows that count"
    text = (folder / "bestellungen.csv").read_text() + "1,7,Complete,never\n"
    (folder / "bestellungen.csv").write_text(text)
    with open_warehouse(folder, names) as warehouse:
        (note,) = warehouse.notes()
    assert note.startswith(
        "left out: 1 row of bestellungen (setting tables.orders): created_at is not a time"
    )


def test_typed_numbers_are_shown_as_they_are(tmp_path: Path) -> None:
    path = write_duckdb(Shop().user("7").order("1", "7"), tmp_path / "shop.duckdb")
    with duckdb.connect(path) as connection:
        connection.execute("alter table orders alter created_at type bigint using 1733254260")
    (told,) = notes(path)
    assert 'created_at is not a time, for example "1733254260" (order_id "1")' in told


def test_a_line_is_found_where_its_id_is_a_float(tmp_path: Path) -> None:
    shop = Shop().user("6.0").user("7.0", age="old")
    (told,) = notes(write_csv(shop, tmp_path), Reading(whole_ids=True))
    assert told.endswith('for example "old" (users.csv, line 3)')
