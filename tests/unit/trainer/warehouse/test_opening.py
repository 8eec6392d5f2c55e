"""What is wrong with a warehouse is said in one sentence: where, what, and what to do."""

import shutil
import sqlite3
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.errors import BadSource, BadWarehouse, SegueError
from tests.support.inputs.shops import Shop, features_by_user, write_csv, write_duckdb, write_parquet
from tests.support.servers.rights import without_rights
from trainer.proposal.looks.desk import Desk
from trainer.proposal.looks.open_tables import open_tables
from trainer.warehouse import Names, open_warehouse
from trainer.warehouse.shop_warehouse import existing_path

SHOP = Shop().user("u").order("1", "u")


def refusal(warehouse: Path | str) -> str:
    with pytest.raises(BadWarehouse) as caught:
        open_warehouse(warehouse)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_bad_warehouse_is_an_error_for_people() -> None:
    assert issubclass(BadWarehouse, SegueError)


def test_nothing_there(tmp_path: Path) -> None:
    assert (
        refusal(tmp_path / "gone")
        == f"warehouse {tmp_path}/gone does not exist: name a folder, a DuckDB file or a URL"
    )


@pytest.mark.parametrize("mode", [0, 0o300, 0o400])
def test_a_folder_without_rights(tmp_path: Path, mode: int) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    with without_rights(shop, mode):
        assert refusal(shop) == f"warehouse {shop} cannot be read: Permission denied"
        assert refusal(shop / "below") == (
            f"warehouse {shop}/below "
            + (
                "does not exist: name a folder, a DuckDB file or a URL"
                if mode == 0o300
                else "cannot be read: Permission denied"
            )
        )


def test_a_home_folder_of_nobody() -> None:
    assert refusal("~nobody-of-this-name/shop") == (
        "warehouse ~nobody-of-this-name/shop cannot be found: the user behind ~ has no home folder"
    )


@pytest.mark.parametrize("mistyped", ["postgres:me:hunter2@db/shop", "postgresql:/me:hunter2@db/shop"])
def test_a_mistyped_url_is_not_repeated_for_it_may_hold_a_password(mistyped: str) -> None:
    assert refusal(mistyped) == (
        "the warehouse is neither a path that exists nor a URL: "
        "write a URL as postgresql://user@host:5432/database"
    )
    with Desk() as desk, pytest.raises(BadSource) as caught:
        open_tables(mistyped, desk, {})
    assert str(caught.value) == refusal(mistyped)


@pytest.mark.parametrize(
    "address",
    [
        "host=127.0.0.1 port=5432 dbname=shop user=me password=hunter2",
        "password = 'hunter2' service=shop",
        "Server=db;Database=shop;Password=hunter2",
        f"dbname=shop password=hunter2{'x' * 300}",  # too long for a path
    ],
)
def test_keywords_of_libpq_are_not_repeated_for_they_may_hold_a_password(address: str) -> None:
    sentence = (
        "the address is in keywords of PostgreSQL (such as host=… dbname=…): "
        "write it as postgresql://user:password@host:port/dbname"
    )
    assert refusal(address) == sentence
    with Desk() as desk, pytest.raises(BadSource) as caught:
        open_tables(address, desk, {})
    assert str(caught.value) == sentence


def test_a_folder_with_an_equals_sign_is_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "my export" / "host=a"
    folder.mkdir(parents=True)
    assert existing_path(str(folder)) == folder


@pytest.mark.parametrize("password", ["p@hunter2", "p/hunter2", "1/hunter2"])
def test_a_password_that_breaks_its_url_is_told_how_to_write(password: str) -> None:
    assert refusal(f"postgresql://me:{password}@127.0.0.1:1/shop") == (
        "the PostgreSQL URL cannot be read: write it as postgresql://user@host:5432/database, and "
        "percent-encode / and @ in the password"
    )


def test_an_encoded_at_is_no_trouble() -> None:
    told = refusal("postgresql://me:p%40hunter2@127.0.0.1:1/sh%40op")
    assert told.startswith("PostgreSQL database sh@op at 127.0.0.1:1 does not answer: ")
    assert "hunter2" not in told


def test_no_kind_of_warehouse(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    assert refusal(tmp_path / "notes.txt") == (
        f"warehouse {tmp_path}/notes.txt is not a DuckDB file: name a folder of Parquet or CSV files, a "
        "DuckDB file or a postgresql:// URL"
    )
    assert refusal("redshift://user:secret@host/db") == (
        "a redshift:// warehouse cannot be read: name a folder of Parquet or CSV files, a DuckDB file, or a "
        "postgresql://, snowflake:// or bigquery:// URL"
    )


def test_a_sqlite_file_is_no_duckdb_file(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute("create table users (id)")
    connection.close()
    assert "is not a DuckDB file" in refusal(tmp_path / "shop.db")


def test_a_missing_table(tmp_path: Path) -> None:
    write_csv(SHOP, tmp_path)
    (tmp_path / "order_items.csv").unlink()
    assert refusal(tmp_path) == (
        f"folder {tmp_path} has no table order_items: it should be a file order_items.parquet, "
        "order_items.csv, order_items.csv.gz, or set tables.order_items in segue.toml to the name that it "
        "has or to a query; segue init proposes them"
    )


def test_a_missing_table_of_duckdb(tmp_path: Path) -> None:
    path = write_duckdb(SHOP, tmp_path / "shop.duckdb")
    with duckdb.connect(path) as connection:
        connection.execute("drop table inventory_items")
    assert refusal(path) == (
        f"DuckDB file {path} has no table inventory_items: make a table or a view of that name in its main "
        "schema, or set tables.inventory_items in segue.toml to the name that it has or to a query; segue "
        "init proposes them"
    )


def test_a_table_that_is_there_twice(tmp_path: Path) -> None:
    write_csv(SHOP, tmp_path)
    write_parquet(SHOP, tmp_path)
    assert refusal(tmp_path) == (
        f"folder {tmp_path} has table users more than once (users.parquet, users.csv): keep one of them"
    )


def test_kinds_of_files_may_be_mixed(tmp_path: Path) -> None:
    write_csv(SHOP, tmp_path)
    write_parquet(SHOP, tmp_path / "parquet")
    (tmp_path / "orders.csv").unlink()
    shutil.copy(tmp_path / "parquet" / "orders.parquet", tmp_path)
    assert features_by_user(tmp_path)["u"]["total_orders"] == 1


@pytest.mark.parametrize(
    ("table", "column", "named", "rest"),
    [
        ("users", "id", "user_id or id", "age, gender, country, traffic_source, created_at"),
        ("users", "traffic_source", "traffic_source", "id, age, gender, country, created_at"),
        ("orders", "user_id", "user_id", "order_id, status, created_at"),
        ("order_items", "order_id", "order_id", "id, inventory_item_id, product_id, sale_price, quantity"),
        ("inventory_items", "product_brand", "product_brand", "id, product_category"),
    ],
)
def test_a_missing_column(tmp_path: Path, table: str, column: str, named: str, rest: str) -> None:
    write_csv(SHOP, tmp_path, without={table: (column,)})
    told = refusal(tmp_path)
    assert told.startswith(
        f"table {table} of folder {tmp_path} has no column {named}: it has {rest}; name the right"
    )
    assert f'under [columns.{table}] {named.partition(" ")[0]} = "…"' in told


@pytest.mark.parametrize("name", [" country", "Country\t"])
def test_a_name_with_blanks_around_it(tmp_path: Path, name: str) -> None:
    write_csv(Shop().user("u", country="Spain"), tmp_path)
    users = tmp_path / "users.csv"
    users.write_text(users.read_text().replace("country", name))
    told = refusal(tmp_path)
    assert told.startswith(
        f"table users of folder {tmp_path} has no column country, but {name!r}: take the blanks out"
    )
    mapped = Names(columns={"users": {"country": name}})
    with open_warehouse(tmp_path, mapped) as warehouse:
        assert warehouse.features()["country"].to_pylist() == ["Spain"]


def test_no_users(tmp_path: Path) -> None:
    assert (
        refusal(write_csv(Shop().order("1", "u"), tmp_path))
        == f"table users of folder {tmp_path} has no rows"
    )


def test_a_broken_parquet_file(tmp_path: Path) -> None:
    write_parquet(SHOP, tmp_path)
    (tmp_path / "orders.parquet").write_bytes(b"PAR1 and no more")
    assert refusal(tmp_path).startswith(f"{tmp_path}/orders.parquet cannot be read: ")


def test_a_broken_zipped_file(tmp_path: Path) -> None:
    write_csv(SHOP, tmp_path, zipped=True)
    (tmp_path / "orders.csv.gz").write_bytes(b"not gzip")
    assert refusal(tmp_path).startswith(f"{tmp_path}/orders.csv.gz cannot be read: ")


def test_a_duckdb_file_that_is_being_written(tmp_path: Path) -> None:
    path = write_duckdb(SHOP, tmp_path / "shop.duckdb")
    with duckdb.connect(path):
        assert refusal(path).startswith(f"DuckDB file {path} cannot be read: ")


@pytest.mark.parametrize("kind", ["double", "float", "decimal(18, 2)"])
def test_ids_that_may_be_fractions(tmp_path: Path, kind: str) -> None:
    path = write_duckdb(Shop().user("7"), tmp_path / "shop.duckdb")
    with duckdb.connect(path) as connection:
        connection.execute(f"alter table users alter id type {kind}")
    shown = kind.replace(" ", "").upper()
    assert refusal(path) == (
        f"column users.id of DuckDB file {path} is {shown}, but ids are text or whole numbers: cast it to "
        "BIGINT or to text, or set whole_ids = true in segue.toml where they are whole"
    )


@pytest.mark.parametrize("kind", ["bigint", "utinyint", "hugeint", "decimal(18, 0)", "varchar"])
def test_ids_of_whole_numbers_are_their_digits(tmp_path: Path, kind: str) -> None:
    path = write_duckdb(Shop().user("7"), tmp_path / "shop.duckdb")
    with duckdb.connect(path) as connection:
        connection.execute(f"alter table users alter id type {kind}")
    assert set(features_by_user(path)) == {"7"}


def test_columns_are_found_in_any_case(tmp_path: Path) -> None:
    path = write_duckdb(Shop().user("7", country="Spain"), tmp_path / "shop.duckdb")
    with duckdb.connect(path) as connection:
        connection.execute('alter table users rename id to "USER_ID"')
        connection.execute('alter table users rename country to "Country"')
    assert features_by_user(path)["7"]["country"] == "Spain"


def test_user_id_is_taken_before_id(tmp_path: Path) -> None:
    path = write_duckdb(Shop().user("row 1"), tmp_path / "shop.duckdb")
    with duckdb.connect(path) as connection:
        connection.execute("alter table users add user_id varchar")
        connection.execute("update users set user_id = '7'")
    assert set(features_by_user(path)) == {"7"}


def test_typed_numbers_obey_the_rules_of_texts(tmp_path: Path) -> None:
    path = write_duckdb(
        Shop()
        .user("a", age="25")
        .user("b", age="25.5")
        .user("c", age="NaN")
        .user("d", age="inf")
        .user("e", age="-0.0"),
        tmp_path / "shop.duckdb",
    )
    with duckdb.connect(path) as connection:
        connection.execute("alter table users alter age type double")
    assert {user: row["age"] for user, row in features_by_user(path).items()} == {"a": 25, "b": 25.5, "e": 0}


def test_a_single_precision_number_is_what_it_says(tmp_path: Path) -> None:
    path = write_duckdb(Shop().user("a", age="25.1"), tmp_path / "shop.duckdb")
    with duckdb.connect(path) as connection:
        connection.execute("alter table users alter age type float")
    assert features_by_user(path)["a"]["age"] == 25.1


def test_a_collation_of_the_warehouse_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("""
            create table users (
                id varchar collate nocase, age int, gender varchar collate nocase,
                country varchar collate nocase, traffic_source varchar, created_at timestamp
            )
        """)
        connection.execute(
            "insert into users select * from (values ('a', 1, 'f', 'x', '', now()::timestamp), "
            "('A', 2, 'F', 'x', '', now()::timestamp), ('a', 1, 'F', 'x', '', now()::timestamp))"
        )
        for table in ("orders", "order_items", "inventory_items"):
            connection.register("rows_to_write", empty(table))
            connection.execute(f"create table {table} as from rows_to_write")
            connection.unregister("rows_to_write")
    assert set(features_by_user(path)) == {"a", "A"}


def empty(table: str) -> pa.Table:
    columns = {
        "orders": ("order_id", "user_id", "created_at"),
        "order_items": ("order_id", "inventory_item_id"),
        "inventory_items": ("id", "product_brand", "product_category"),
    }
    return pa.table({name: pa.array([], pa.string()) for name in columns[table]})


def test_a_dictionary_encoded_parquet_file(tmp_path: Path) -> None:
    write_parquet(Shop().user("u", country="Spain").user("v", country="Spain"), tmp_path)
    table = pq.read_table(tmp_path / "users.parquet")
    country = table.column_names.index("country")
    encoded = table.set_column(country, "country", table["country"].dictionary_encode())
    pq.write_table(encoded, tmp_path / "users.parquet")
    assert features_by_user(tmp_path)["v"]["country"] == "Spain"


def test_a_folder_whose_name_is_a_pattern(tmp_path: Path) -> None:
    write_csv(Shop().user("other"), tmp_path / "a")
    folder = write_csv(Shop().user("u"), tmp_path / "[a]?*'s")
    assert set(features_by_user(folder)) == {"u"}
    write_parquet(Shop().user("u"), tmp_path / "[b]?*'s")
    assert set(features_by_user(tmp_path / "[b]?*'s")) == {"u"}


def test_a_failure_on_the_way_is_one_sentence(tmp_path: Path) -> None:
    folder = write_csv(Shop().user("u"), tmp_path)
    with open_warehouse(folder) as warehouse:
        (folder / "orders.csv").unlink()
        with pytest.raises(BadWarehouse, match=rf"^folder {tmp_path} cannot be read: .*orders"):
            warehouse.features()


def test_a_warehouse_is_never_written_to(tmp_path: Path) -> None:
    path = write_duckdb(SHOP, tmp_path / "shop.duckdb")
    before = path.read_bytes()
    with open_warehouse(path) as warehouse:
        warehouse.features()
        warehouse.rejected()
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["shop.duckdb"]
