"""Small shops for tests: their tables as rows of text, and the same rows in every kind of warehouse."""

import csv
import gzip
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

from tests.support.strategies.features import RICH
from trainer.warehouse import Names, Warehouse, open_warehouse

Value = str | None
Row = dict[str, Value]

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "users": ("id", "age", "gender", "country", "traffic_source", "created_at"),
    "orders": ("order_id", "user_id", "status", "created_at"),
    "order_items": ("id", "order_id", "inventory_item_id", "product_id", "sale_price", "quantity"),
    "inventory_items": ("id", "product_brand", "product_category"),
}

MIDNIGHT = "2024-01-01 00:00:00"
NEW_YEAR = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Shop:
    """The four tables; every value is text or null, as in a CSV file."""

    users: list[Row] = field(default_factory=list)
    orders: list[Row] = field(default_factory=list)
    order_items: list[Row] = field(default_factory=list)
    inventory_items: list[Row] = field(default_factory=list)

    def user(self, user_id: Value, created_at: Value = MIDNIGHT, **values: Value) -> "Shop":
        row: Row = dict.fromkeys(COLUMNS["users"])
        self.users.append(row | {"id": user_id, "created_at": created_at} | values)
        return self

    def order(
        self,
        order_id: Value,
        user_id: Value,
        items: Iterable[str | Row] = ("Acme/Shoes",),
        created_at: Value = MIDNIGHT,
        status: Value = "Complete",
    ) -> "Shop":
        """Add an order; an item is a row of order_items or ``brand/category`` (an empty part is null)."""
        self.orders.append(
            {"order_id": order_id, "user_id": user_id, "status": status, "created_at": created_at}
        )
        for item in items:
            if isinstance(item, dict):
                self.item(order_id, "Acme/Shoes", **item)
            else:
                self.item(order_id, item)
        return self

    def item(self, order_id: Value, of: str = "Acme/Shoes", **values: Value) -> "Shop":
        inventory_id, row_id = f"i{len(self.inventory_items)}", f"{len(self.order_items) + 1:05}"
        brand, _, category = of.partition("/")
        self.inventory_items.append(
            {"id": inventory_id, "product_brand": brand or None, "product_category": category or None}
        )
        row: Row = dict.fromkeys(COLUMNS["order_items"])
        self.order_items.append(
            row | {"id": row_id, "order_id": order_id, "inventory_item_id": inventory_id} | values
        )
        return self

    def table(self, name: str) -> list[Row]:
        rows: list[Row] = getattr(self, name)
        return rows


# The columns to leave out, by table.
Without = Mapping[str, tuple[str, ...]]


def columns_of(shop: Shop, table: str, without: Without) -> list[str]:
    """The columns of a table: those that every shop has, then the shop's own."""
    own = (name for row in shop.table(table) for name in row)
    return [name for name in dict.fromkeys([*COLUMNS[table], *own]) if name not in without.get(table, ())]


def write_csv(shop: Shop, folder: Path, *, zipped: bool = False, without: Without | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for table in COLUMNS:
        path = folder / (f"{table}.csv.gz" if zipped else f"{table}.csv")
        with (
            gzip.open(path, "wt", encoding="utf-8", newline="")
            if zipped
            else path.open("w", encoding="utf-8", newline="")
        ) as file:
            writer = csv.DictWriter(file, columns_of(shop, table, without or {}), extrasaction="ignore")
            writer.writeheader()
            writer.writerows(shop.table(table))
    return folder


def write_parquet(shop: Shop, folder: Path, without: Without | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for table in COLUMNS:
        pq.write_table(arrow(shop, table, without or {}), folder / f"{table}.parquet")
    return folder


def write_duckdb(shop: Shop, path: Path, without: Without | None = None) -> Path:
    with duckdb.connect(path) as connection:
        for table in COLUMNS:
            connection.register("rows_to_write", arrow(shop, table, without or {}))
            connection.execute(f"create table {table} as from rows_to_write")
            connection.unregister("rows_to_write")
    return path


def write_postgres(shop: Shop, url: str, without: Without | None = None) -> str:
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for table in COLUMNS:
            names = columns_of(shop, table, without or {})
            quoted = [f'"{name}"' for name in names]
            declared = ", ".join(f"{name} text" for name in quoted)
            cursor.execute(f"create table {table} ({declared})".encode())
            with cursor.copy(f"copy {table} ({', '.join(quoted)}) from stdin".encode()) as copy:
                for row in shop.table(table):
                    copy.write_row([row.get(name) for name in names])
    return url


def arrow(shop: Shop, table: str, without: Without) -> pa.Table:
    names = columns_of(shop, table, without)
    return pa.Table.from_pylist(shop.table(table), pa.schema([(name, pa.string()) for name in names]))


# The columns whose name in our shops is not the first name that Segue looks for.
_OURS = {("users", "user_id"): "id", ("order_items", "price"): "sale_price"}


def renamed(path: Path, names: Names) -> Path:
    """Rename tables and columns of a DuckDB file; return its path."""
    with duckdb.connect(path) as connection:
        for statement in renaming(names):
            connection.execute(statement)
    return path


def renaming(names: Names) -> Iterator[str]:
    """Yield the statements that rename a shop's tables and columns; create the schema of a qualified name."""
    for table in COLUMNS:
        for column, its_name in names.columns.get(table, {}).items():
            yield f'alter table {table} rename "{_OURS.get((table, column), column)}" to "{its_name}"'
        if (name := names.tables.get(table)) is not None:
            schema, dot, _ = name.rpartition(".")
            if dot:
                yield f"create schema {schema}"
            # DuckDB cannot move a table to another schema.
            yield f"create table {name} as select * from {table}"
            yield f"drop table {table}"


def features_by_user(warehouse: Path | str, **options: Any) -> dict[str, dict[str, object]]:
    """Return the warehouse's features, by user id."""
    with open_warehouse(warehouse) as opened:
        rows = opened.features(**options).to_pylist()
    return {row.pop("user_id"): row for row in rows}


def everything(
    warehouse: Path | str,
    as_of: datetime | None = None,
    exclude: tuple[str, ...] = (),
    names: Names | None = None,
) -> list[Any]:
    """Open a warehouse and return all results of its queries, to compare warehouses."""
    with open_warehouse(warehouse, names) as opened:
        return told(opened, as_of, exclude)


def told(warehouse: Warehouse, as_of: datetime | None, exclude: tuple[str, ...]) -> list[Any]:
    """Return all results of an open warehouse's queries."""
    return [
        warehouse.features(as_of, exclude, RICH).to_pylist(),
        warehouse.features(as_of, exclude, start=NEW_YEAR, end=as_of)["user_id"].to_pylist(),
        list(warehouse.events(as_of)),
        list(warehouse.events(since=as_of, ordered="user")),
        warehouse.followup(NEW_YEAR, as_of or datetime(2100, 1, 1, tzinfo=UTC), exclude).to_pylist(),
        warehouse.rejected(as_of),
        warehouse.counts(as_of),
    ]
