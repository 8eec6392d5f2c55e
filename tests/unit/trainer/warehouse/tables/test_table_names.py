"""Another shop's names for tables and columns: what they read, and what is wrong with them."""

from pathlib import Path

import duckdb
import pytest

from schemas.errors import BadSetting, BadWarehouse, SegueError
from tests.support.inputs.shops import Shop, everything, renamed, write_csv, write_duckdb
from trainer.warehouse import Names, Reading, open_warehouse
from trainer.warehouse.tables.resolve_columns import resolve

SHOP = (
    Shop()
    .user("7", age="30", gender="F", country="Spain", traffic_source="Email")
    .user("8", age="40", gender="M", country="Chile")
    .order("1", "7", ["Acme/Shoes", "Beta/Hats", "Beta/Hats"])
    .order("2", "9", ["Acme/"])
    .item("none", "Acme/Shoes")
)
NAMES = Names(
    {"users": "crm.customers", "orders": '"Sales"', "inventory_items": "inventory"},
    {
        "users": {"user_id": "customer_no", "created_at": "registered on", "age": "Years"},
        "orders": {"order_id": "no", "user_id": "customer_no"},
        "order_items": {"order_id": "sale", "inventory_item_id": "sku", "price": "net"},
        "inventory_items": {"id": "sku", "product_brand": "maker"},
    },
)
IN_A_FOLDER = Names({**NAMES.tables, "users": "customers", "orders": "sales"}, NAMES.columns)


def error(
    path: Path, names_of: dict[str, str] | None = None, columns: dict[str, dict[str, str]] | None = None
) -> SegueError:
    with pytest.raises((BadSetting, BadWarehouse)) as caught:
        open_warehouse(path, Names(names_of or {}, columns or {}))
    assert "\n" not in str(caught.value)
    return caught.value


def test_renamed_tables_and_columns_tell_the_same(tmp_path: Path) -> None:
    plain = everything(write_duckdb(SHOP, tmp_path / "plain.duckdb"))
    assert [row["user_id"] for row in plain[0]] == ["7", "8", "9"]

    other = renamed(write_duckdb(SHOP, tmp_path / "other.duckdb"), NAMES)
    assert everything(other, names=NAMES) == plain


def test_a_folder_s_tables_are_its_files(tmp_path: Path) -> None:
    plain = everything(write_csv(SHOP, tmp_path / "plain"))
    other = write_csv(SHOP, tmp_path / "other")
    for table, name in IN_A_FOLDER.tables.items():
        file = other / f"{table}.csv"
        header, rest = file.read_text().split("\n", 1)
        for own, new in IN_A_FOLDER.columns[table].items():
            header = header.replace({"user_id": "id"}.get(own, own) if table == "users" else own, new, 1)
        (other / f"{name}.csv").write_text(f"{header}\n{rest}")
        file.unlink()
    columns = {table: names for table, names in NAMES.columns.items() if table in IN_A_FOLDER.tables}
    assert everything(other, names=Names(IN_A_FOLDER.tables, columns)) == plain


def test_two_tables_may_be_one(tmp_path: Path) -> None:
    """Order lines that carry brand and category by themselves."""
    path = write_duckdb(SHOP, tmp_path / "shop.duckdb")
    with duckdb.connect(path) as connection:
        connection.execute(
            "create table lines as select i.* exclude (inventory_item_id), product_brand, product_category"
            " from order_items i join inventory_items p on i.inventory_item_id = p.id"
        )
        connection.execute("drop table order_items; drop table inventory_items")
    names = Names(
        {"order_items": "lines", "inventory_items": "lines"}, {"order_items": {"inventory_item_id": "id"}}
    )
    with open_warehouse(path, names) as warehouse:
        rows = {row["user_id"]: row for row in warehouse.features().to_pylist()}
    assert (rows["7"]["most_frequent_brand"], rows["7"]["most_frequent_category"]) == ("Beta", "Hats")
    assert (rows["9"]["most_frequent_brand"], rows["9"]["most_frequent_category"]) == ("Acme", None)


def test_a_column_that_the_shop_does_not_have_is_null(tmp_path: Path) -> None:
    path = write_duckdb(SHOP, tmp_path / "shop.duckdb", without={"users": ("gender",)})
    with open_warehouse(path, Names(columns={"users": {"gender": "", "country": ""}})) as warehouse:
        rows = {row["user_id"]: row for row in warehouse.features().to_pylist()}
    assert (rows["7"]["age"], rows["7"]["gender"], rows["7"]["country"]) == (30, None, None)


@pytest.mark.parametrize(
    ("name", "found"), [("Land", "Land"), ("lanD", "lanD"), ("AGE", "age"), ("Other", "OTHER")]
)
def test_a_column_is_taken_as_written_before_any_other_case(name: str, found: str) -> None:
    names = Names(columns={"users": {"country": name}})
    columns = dict.fromkeys(
        ["id", "age", "gender", "country", "traffic_source", "created_at", "Land", "lanD", "OTHER"], "text"
    )
    assert resolve("shop", "users", columns, names, Reading())["users", "country"] == found
    with pytest.raises(BadSetting, match="table users of shop has no such column, did you mean"):
        resolve("shop", "users", columns, Names(columns={"users": {"country": "LAND"}}), Reading())


@pytest.mark.parametrize(
    ("tables", "columns", "told"),
    [
        (
            {"usrs": "crm.customers"},
            {},
            "setting tables.usrs is 'crm.customers': Segue reads no such table, did you mean users?",
        ),
        (
            {"payments": "p"},
            {},
            (
                "setting tables.payments is 'p': Segue reads no such table, use one of users, orders, "
                "order_items, inventory_items"
            ),
        ),
        (
            {"users": " "},
            {},
            "setting tables.users is ' ': give the table's name or a query, or \"\" where the shop has none",
        ),
        (
            {},
            {"users": {"userid": "no"}},
            (
                "setting columns.users.userid is 'no': Segue reads no such column of users, did you mean "
                "user_id?"
            ),
        ),
        (
            {},
            {"users": {"id": "no"}},
            (
                "setting columns.users.id is 'no': no feature reads user.id: declare a feature with this"
                " source, take the line out, or use one of user_id, age, gender, country, traffic_source,"
                " created_at"
            ),
        ),
        (
            {},
            {"order": {"user_id": "no"}},
            "setting columns.order is {'user_id': 'no'}: Segue reads no such table, did you mean orders?",
        ),
        (
            {},
            {"orders": {"created_at": ""}},
            "setting columns.orders.created_at is '': Segue cannot do without it, give the column's name",
        ),
    ],
)
def test_what_segue_does_not_read_is_told_without_a_warehouse(
    tables: dict[str, str], columns: dict[str, dict[str, str]], told: str
) -> None:
    with pytest.raises(BadSetting) as caught:
        Names(tables, columns)
    assert str(caught.value) == told


def test_a_column_that_is_not_there(tmp_path: Path) -> None:
    path = write_duckdb(SHOP, tmp_path / "shop.duckdb")
    assert str(error(path, columns={"users": {"country": "countri"}})) == (
        f"setting columns.users.country is 'countri': table users of DuckDB file {path} has no such column, "
        "did you mean country?"
    )
    assert str(error(path, {"inventory_items": "orders"}, {"inventory_items": {"id": "sku"}})) == (
        "setting columns.inventory_items.id is 'sku': table orders (setting tables.inventory_items) of "
        f"DuckDB file {path} has no such column, it has order_id, user_id, status, created_at"
    )


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    path = renamed(write_duckdb(SHOP, tmp_path / "shop.duckdb"), NAMES)
    assert str(error(path, {"users": "crm.custmers"})) == (
        f"DuckDB file {path} has no table crm.custmers (setting tables.users): did you mean crm.customers? "
        "Else make a table or a view of that name in its main schema, or set tables.users in segue.toml to "
        "the name that it has or to a query; segue init proposes them"
    )
    folder = write_csv(SHOP, tmp_path / "folder")
    (folder / "users.csv").rename(folder / "customers.csv")
    assert (
        f"folder {folder} has no table custmers (setting tables.users): did you mean customers? Else it"
        in str(error(folder, {"users": "custmers"}))
    )


@pytest.mark.parametrize(
    "name", ["generate_series(1, 2)", "users -- all", "a.b.", '"users', "(select 1) as users"]
)
def test_a_table_s_name_is_a_name(tmp_path: Path, name: str) -> None:
    path = write_duckdb(SHOP, tmp_path / "shop.duckdb")
    assert str(error(path, {"users": name})).startswith(
        (f"setting tables.users is {name!r}: give a table's name", f"DuckDB file {path} has no table {name}")
    )
