"""A folder: queries see its files, and only files that are read are looked at."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from schemas.errors import BadSetting, BadSource, BadWarehouse
from tests.support.inputs.shops import Shop, everything, write_csv, write_duckdb, write_parquet
from trainer.warehouse import Csv, Names, Reading, open_warehouse
from trainer.warehouse.kinds.folder_warehouse import FolderSource
from trainer.warehouse.kinds.warehouse_source import NoTable

SHOP = (
    Shop()
    .user("7", age="30", gender="F", country="Spain", traffic_source="Email")
    .user("8", age="40", gender="M", country="Chile")
    .order("1", "7", ["Acme/Shoes", "Beta/Hats", {"sale_price": "12.50", "quantity": "3"}])
    .order("2", "9", ["Acme/"])
)
SPOILT = Shop(
    [{**row, "country": f"{row['country']}?"} for row in SHOP.users],
    SHOP.orders,
    SHOP.order_items,
    SHOP.inventory_items,
)
USERS = "select * replace (replace(country, '?', '') as country) from {}"


def refusal(path: Path, query: str, reading: Reading | None = None) -> str:
    with (
        pytest.raises((BadSetting, BadWarehouse)) as caught,
        open_warehouse(path, Names({"users": query}), reading) as warehouse,
    ):
        warehouse.features()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def countries(folder: Path, names: Names | None = None) -> list[str | None]:
    with open_warehouse(folder, names) as warehouse:
        return [row["country"] for row in warehouse.features().to_pylist()]


@pytest.mark.parametrize(
    ("write", "name"), [(write_csv, "Select"), (write_csv, 'a"b.2024'), (write_parquet, "my people-2024")]
)
def test_a_query_sees_each_file_as_a_table(
    tmp_path: Path, write: Callable[[Shop, Path], Path], name: str
) -> None:
    folder = write(SPOILT, tmp_path / "shop")
    (file,) = folder.glob("users.*")
    file.rename(folder / f"{name}{file.suffix}")
    quoted = '"' + name.replace('"', '""') + '"'
    assert countries(folder, Names({"users": USERS.format(quoted)})) == ["Spain", "Chile", None]
    assert countries(folder, Names({"users": USERS.format(quoted.upper())})) == ["Spain", "Chile", None]


def test_every_table_may_be_a_query(tmp_path: Path) -> None:
    plain = everything(write_csv(SHOP, tmp_path / "plain"))
    folder = write_csv(SHOP, tmp_path / "shop")
    # Names of steps of Segue's own query, which a shop's table may have, too.
    for table, name in {"inventory_items": "inventory", "order_items": "numbers", "users": "times"}.items():
        (folder / f"{table}.csv").rename(folder / f"{name}.csv")
    names = Names(
        {
            "users": "with blank as (select * from times) select * from blank",
            "orders": "select * from orders -- all",
            "order_items": "select id, order_id, inventory_item_id, sale_price::double as price, "
            "quantity::int as quantity, product_id from numbers;",
            "inventory_items": "select * from inventory union all select * from inventory",
        }
    )
    assert everything(folder, names=names) == plain


def test_segue_s_own_names_may_be_those_of_other_files(tmp_path: Path) -> None:
    """``users.csv`` has the orders, and the other way round."""
    plain = everything(write_csv(SHOP, tmp_path / "plain"))
    folder = write_csv(SHOP, tmp_path / "shop")
    (folder / "users.csv").rename(folder / "x.csv")
    (folder / "orders.csv").rename(folder / "users.csv")
    (folder / "x.csv").rename(folder / "orders.csv")
    assert everything(folder, names=Names({"users": "orders", "orders": "users"})) == plain
    swapped = Names({"users": "orders", "orders": "select * from users"})
    assert everything(folder, names=swapped) == plain


def test_a_query_in_a_duckdb_file_sees_its_tables(tmp_path: Path) -> None:
    path = write_duckdb(SPOILT, tmp_path / "shop.duckdb")
    with duckdb.connect(path) as connection:
        connection.execute("create schema crm; create table crm.people as from users; drop table users")
    plain = everything(write_csv(SHOP, tmp_path / "plain"))
    assert everything(path, names=Names({"users": USERS.format("crm.people")})) == plain
    assert refusal(path, "select * from crm.peopel").startswith(
        f"the query of the setting tables.users fails in DuckDB file {path}: Catalog Error: Table with name "
        "peopel does not exist!"
    )


def test_a_query_that_fails(tmp_path: Path) -> None:
    folder = write_csv(SHOP, tmp_path)
    fails = f"the query of the setting tables.users fails in folder {tmp_path}: "
    assert refusal(folder, "select * from user") == f"{fails}there is no file user, did you mean users?"
    assert refusal(folder, "select * from zz") == (
        f"{fails}there is no file zz, the files are inventory_items, order_items, orders, users"
    )
    assert refusal(folder, "select nope from users").startswith(
        f'{fails}Binder Error: Referenced column "nope"'
    )
    assert refusal(folder, "select nope(id) from users").startswith(f"{fails}Catalog Error: Scalar Function")
    assert refusal(folder, "select * from names").startswith(f"{fails}there is no file names")
    assert refusal(folder, "select id from users").startswith(
        f"table users (the query of the setting tables.users) of folder {tmp_path} has no column age: it "
    )


def test_a_query_that_fails_at_a_row(tmp_path: Path) -> None:
    folder = write_csv(Shop().user("7", age="old"), tmp_path)
    assert refusal(folder, "select * replace (age::int as age) from users") == (
        f"folder {tmp_path} cannot be read: Conversion Error: CSV Error on Line: 2; Error when converting "
        f'column "age". Could not convert string "old" to \'INTEGER\' (file {tmp_path}/users.csv) (look '
        "first at the query of the setting tables.users)"
    )


@pytest.mark.parametrize("text", ["insert into users values (1)", "selec * from users", "copy users to 'x'"])
def test_a_statement_that_is_no_query(tmp_path: Path, text: str) -> None:
    assert refusal(write_csv(SHOP, tmp_path), text).startswith(
        (f"setting tables.users is {text!r}: it is no query", f"folder {tmp_path} has no table {text} ")
    )
    assert len(list(tmp_path.iterdir())) == 4


def test_a_query_with_one_column_twice(tmp_path: Path) -> None:
    write_csv(SHOP, tmp_path)
    assert refusal(tmp_path, "select id as user_id, country, gender as Country from users") == (
        "the query of the setting tables.users has column country more than once (case does not count): give"
        " each column its own name"
    )


def test_an_ending_in_capitals(tmp_path: Path) -> None:
    folder = write_csv(SHOP, tmp_path)
    for file in list(folder.iterdir()):
        file.rename(file.with_suffix(".CSV"))
    assert countries(folder) == ["Spain", "Chile", None]


def test_a_broken_line_of_a_file_that_a_query_reads(tmp_path: Path) -> None:
    folder = write_csv(SHOP, tmp_path)
    with (folder / "users.csv").open("a") as file:
        file.write("1,2\n")
    said = f"{tmp_path}/users.csv, line 4, has 2 fields and line 1 names 6 columns"
    assert refusal(folder, "select * from users") == said
    (folder / "users.csv").write_bytes((folder / "users.csv").read_bytes().replace(b"Chile", b"Chil\xe9"))
    latin = Reading(Csv(encoding="latin-1"))
    assert refusal(folder, "select * from users", latin) == said


def test_a_row_left_out_has_a_line_only_where_the_table_is_a_file(tmp_path: Path) -> None:
    folder = write_csv(Shop().user("7", age="old").user("8"), tmp_path)
    with open_warehouse(folder) as warehouse:
        assert 'for example "old" (users.csv, line 2)' in warehouse.notes()[0]
    with open_warehouse(folder, Names({"users": "select * from users"})) as warehouse:
        assert 'for example "old" (user_id "7")' in warehouse.notes()[0]


def test_files_that_a_query_does_not_name_may_have_any_content(tmp_path: Path) -> None:
    folder = write_csv(SHOP, tmp_path)
    (folder / "notes.csv").write_bytes(b"")
    (folder / "sales.csv").write_bytes(b"a\n1\n")
    (folder / "sales.parquet").write_bytes(b"PAR1")
    with open_warehouse(folder, Names({"users": "select * from users"})) as warehouse:
        assert warehouse.counts().users == 3
    assert refusal(folder, "select * from notes").startswith(f"{tmp_path}/notes.csv is empty")
    assert refusal(folder, "select * from sales") == (
        f"folder {tmp_path} has table sales more than once (sales.csv, sales.parquet): keep one of them"
    )


def test_a_query_reads_the_folder_and_nothing_else(tmp_path: Path) -> None:
    """The settings may come from somebody else."""
    folder = write_csv(SHOP, tmp_path / "[shop]?*'s")
    secret = write_csv(SHOP, tmp_path / "secret") / "users.csv"
    begin = f"the query of the setting tables.users fails in folder {folder}: Permission Error: Cannot access"
    for place in (secret, folder / ".." / "secret" / "users.csv", "http://127.0.0.1:1/users.csv"):
        written = str(place).replace("'", "''")
        assert refusal(folder, f"select * from read_csv('{written}')").startswith(begin)
        assert refusal(folder, f"select * from '{written}'").startswith(begin)
    assert refusal(folder, "select content as id from read_text('/etc/hostname')").startswith(begin)
    assert refusal(folder, "select file as id from glob('/*')").startswith(begin)
    # A link in the folder is a file of the folder.
    (folder / "users.csv").unlink()
    (folder / "users.csv").symlink_to(secret)
    with open_warehouse(folder, Names({"users": "select * from users"})) as warehouse:
        assert warehouse.counts().users == 3


def test_files_whose_names_differ_in_case_are_one_table(tmp_path: Path) -> None:
    folder = write_csv(SHOP, tmp_path)
    (folder / "Users.csv").write_text("a\n1\n")
    with open_warehouse(folder) as warehouse:
        assert warehouse.counts().users == 3
    assert refusal(folder, "select * from users") == (
        f"folder {tmp_path} has Users.csv and users.csv, which are one table in a query: rename one of them"
    )


def test_a_missing_table_is_told_when_its_columns_are_asked_for(tmp_path: Path) -> None:
    folder = write_csv(SHOP, tmp_path)
    (folder / "users.csv").unlink()
    source = FolderSource(folder, Names({"inventory_items": ""}), Csv())
    assert "order_id" in source.columns("orders")
    assert set(source.csv_files) == {"orders"}
    with pytest.raises(NoTable, match="has no table users: it should be a file"):
        source.columns("users")
    with pytest.raises(NoTable) as caught:
        source.columns("inventory_items")
    assert str(caught.value) == (
        f'folder {tmp_path} has no table inventory_items, as tables.inventory_items = "" in segue.toml says: '
        "give its name or a query there, or leave out the features that read it"
    )
    source.close()


def test_a_database_without_a_table(tmp_path: Path) -> None:
    path = write_duckdb(SHOP, tmp_path / "shop.duckdb")
    with pytest.raises(BadSource, match="has no table peopel"):
        open_warehouse(path, Names({"users": "peopel"}))
    with pytest.raises(BadSource, match=r'as tables\.users = "" in segue\.toml says'):
        open_warehouse(path, Names({"users": ""}))
