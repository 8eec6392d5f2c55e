"""Columns of every type: what becomes text, what is decoded, and what is refused with the column's name."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.errors import BadWarehouse
from schemas.features import FEATURES, Feature
from schemas.input_events import Order, Signup
from tests.support.inputs.shops import Shop, features_by_user, write_csv, write_duckdb, write_parquet
from trainer.warehouse import Reading, open_warehouse
from trainer.warehouse.tables.column_types import Form, form_of
from trainer.warehouse.tables.table_names import Names

SHOP = Shop().user("7", gender="F", country="España").order("1", "7", ["Levi's/Jeans"])
# What reads no country, no price and no product_id.
READING = Reading(features=(Feature("gender", "attribute", "gender"),))


def as_bytes(path: Path, *columns: str) -> None:
    """Write columns of a Parquet file without the mark that they are text."""
    table = pq.read_table(path)
    for name in columns or table.column_names:
        place = table.column_names.index(name)
        table = table.set_column(place, name, table[name].cast(pa.binary()))
    pq.write_table(table, path)


def test_bytes_are_decoded_in_every_column(tmp_path: Path) -> None:
    folder = write_parquet(SHOP, tmp_path)
    for file in folder.iterdir():
        as_bytes(file)
    with open_warehouse(folder) as warehouse:
        (row,) = warehouse.features().to_pylist()
        signup, order = warehouse.events()
        assert warehouse.notes() == []
    assert (row["user_id"], row["country"], row["most_frequent_brand"]) == ("7", "España", "Levi's")
    assert isinstance(signup, Signup)
    assert isinstance(order, Order)
    assert (signup.user_id, signup.country, order.order_id) == ("7", "España", "1")


def test_bytes_that_are_no_text_name_their_column(tmp_path: Path) -> None:
    folder = write_parquet(SHOP, tmp_path)
    table = pq.read_table(folder / "users.parquet")
    latin1 = pa.array(["España".encode("latin-1")], pa.binary())
    place = table.column_names.index("country")
    pq.write_table(table.set_column(place, "country", latin1), folder / "users.parquet")
    with pytest.raises(BadWarehouse) as caught:
        open_warehouse(folder)
    assert str(caught.value).startswith(
        f"column users.country of folder {tmp_path} is bytes that are not all UTF-8: decode them in a query "
        "(docs/your-data.md)"
    )


def test_bytes_that_are_no_text_have_a_way_out_in_the_shop_s_names(tmp_path: Path) -> None:
    folder = write_parquet(SHOP, tmp_path)
    table = pq.read_table(folder / "users.parquet")
    latin1 = pa.array(["España".encode("latin-1")], pa.binary())
    table = table.set_column(table.column_names.index("country"), "Land", latin1)
    pq.write_table(table, folder / "kunden.parquet")
    (folder / "users.parquet").unlink()
    names = Names({"users": "kunden"}, {"users": {"country": "Land"}})
    with pytest.raises(BadWarehouse) as caught:
        open_warehouse(folder, names, Reading(features=FEATURES))
    assert str(caught.value).startswith(
        f"column kunden.Land of folder {tmp_path} is bytes that are not all UTF-8: leave country out of the "
        "features, or decode them in a query (docs/your-data.md)"
    )


def test_bytes_that_no_feature_reads_are_text_where_they_can(tmp_path: Path) -> None:
    folder = write_parquet(SHOP, tmp_path)
    table = pq.read_table(folder / "users.parquet")
    for name, text in (("country", "España".encode("latin-1")), ("traffic_source", b"Search")):
        table = table.set_column(table.column_names.index(name), name, pa.array([text], pa.binary()))
    pq.write_table(table, folder / "users.parquet")
    with open_warehouse(folder, reading=READING) as warehouse:
        signup, _ = warehouse.events()
    assert isinstance(signup, Signup)
    assert (signup.gender, signup.country, signup.traffic_source) == ("F", None, "Search")


NO_TEXT = (
    "varchar[]",
    "integer[3]",
    "struct(a varchar)",
    "map(varchar, varchar)",
    "union(a integer, b varchar)",
    "json",
    "interval",
    "bit",
)


@pytest.mark.parametrize("kind", NO_TEXT)
def test_a_type_that_is_no_text_names_its_column(tmp_path: Path, kind: str) -> None:
    path = write_duckdb(SHOP, tmp_path / "shop.duckdb")
    with duckdb.connect(path) as connection:
        connection.execute(f"alter table users drop country; alter table users add country {kind}")
    with pytest.raises(BadWarehouse) as caught:
        open_warehouse(path)
    message = str(caught.value)
    assert message.startswith(f"column users.country of DuckDB file {path} is ")
    assert message.endswith('or set country = "" under [columns.users] in segue.toml')
    with open_warehouse(path, reading=READING) as warehouse:
        assert warehouse.features()["country"].to_pylist() == [None]


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("enum('ES', 'FR')", "ES", "ES"),
        ("uuid", "A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ("hugeint", "170141183460469231731687303715884105727", "170141183460469231731687303715884105727"),
        ("decimal(10, 2)", "7.5", "7.50"),
        ("boolean", "true", "true"),
        ("time", "10:00:00", "10:00:00"),
        ("date", "2024-01-31", "2024-01-31"),
    ],
)
def test_a_type_that_has_a_text(tmp_path: Path, kind: str, value: str, text: str) -> None:
    path = write_duckdb(Shop().user("7", country=value), tmp_path / "shop.duckdb")
    with duckdb.connect(path) as connection:
        connection.execute(f"alter table users alter country type {kind}")
    assert features_by_user(path)["7"]["country"] == text


@pytest.mark.parametrize("kind", ["boolean", "date", "timestamp", "time"])
def test_ids_are_text_or_whole_numbers(tmp_path: Path, kind: str) -> None:
    path = write_duckdb(Shop().order("1", "7"), tmp_path / "shop.duckdb")
    with duckdb.connect(path) as connection:
        connection.execute(f"alter table users drop id; alter table users add id {kind}")
    with pytest.raises(
        BadWarehouse, match=r"column users\.id of .*, but ids are text or whole numbers: cast it"
    ):
        open_warehouse(path)


def test_a_column_that_holds_nothing(tmp_path: Path) -> None:
    folder = write_csv(SHOP, tmp_path)
    (folder / "users.csv").unlink()
    nothing = pa.table({"id": ["7"], **{name: pa.nulls(1) for name in ("age", "gender", "country")}})
    nothing = nothing.append_column("traffic_source", pa.nulls(1)).append_column("created_at", pa.nulls(1))
    pq.write_table(nothing, folder / "users.parquet")
    assert features_by_user(folder)["7"]["gender"] is None


@pytest.mark.parametrize(
    ("kinds", "form"),
    [
        (
            ("character varying(20)", "character(2)", "shop.citext", "VARCHAR(16777216)", "STRING", "enum"),
            Form.TEXT,
        ),
        (("numeric(20,0)", "NUMBER(38,0)", "DECIMAL(18,0)", "UBIGINT", "INT64", "oid"), Form.WHOLE),
        (("numeric", "NUMBER(10,2)", "double precision", "FLOAT64", "BIGNUMERIC"), Form.NUMBER),
        (("timestamp without time zone", "TIMESTAMP_NTZ(9)", "DATETIME", "boolean"), Form.OTHER),
        (("bytea", "BINARY(8388608)", "BYTES"), Form.BYTES),
        (
            (
                "text[]",
                "jsonb",
                "hstore",
                "int4range",
                "VARIANT",
                "OBJECT",
                "ARRAY",
                "ARRAY<STRING>",
                "RECORD",
            ),
            Form.NONE,
        ),
        (("tsvector", "money", "interval", "GEOGRAPHY", "point", "xml", "MAP(INTEGER, INTEGER)"), Form.NONE),
    ],
)
def test_types_of_all_warehouses(kinds: tuple[str, ...], form: Form) -> None:
    assert {kind: form_of(kind) for kind in kinds} == dict.fromkeys(kinds, form)
