"""The tables and columns that Segue reads, and how they are called in the warehouse at hand."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from schemas.errors import BadWarehouse


@dataclass(frozen=True, slots=True)
class Column:
    """One column that is read.

    Attributes:
        names: what it may be called, in any case; the first of them that the table has is read, and the
            queries use ``names[0]``.
        is_id: whether it holds ids, which are text or whole numbers.
    """

    names: tuple[str, ...]
    required: bool = True
    is_id: bool = False


def _id(*names: str) -> Column:
    return Column(names, is_id=True)


def _optional(*names: str, is_id: bool = False) -> Column:
    return Column(names, required=False, is_id=is_id)


TABLES: Mapping[str, tuple[Column, ...]] = {
    "users": (
        _id("user_id", "id"),
        Column(("age",)),
        Column(("gender",)),
        Column(("country",)),
        Column(("traffic_source",)),
        Column(("created_at",)),
    ),
    "orders": (_id("order_id"), _id("user_id"), _optional("status"), Column(("created_at",))),
    "order_items": (
        _optional("id"),
        _id("order_id"),
        _id("inventory_item_id"),
        _optional("product_id", is_id=True),
        _optional("price", "sale_price"),
        _optional("quantity"),
    ),
    "inventory_items": (_id("id"), Column(("product_brand",)), Column(("product_category",))),
}

# Table and canonical column to the column's own name, or None where the warehouse has no such column.
Layout = Mapping[tuple[str, str], str | None]

# A double prints 7 as 7.0 in one warehouse and as 7 in the next: which user that is, nobody can say.
_NO_ID_TYPE = re.compile(r"(double|float|real|decimal|numeric)(?!.*,\s*0\))", re.IGNORECASE)


def resolve(warehouse: str, table: str, columns: Mapping[str, str]) -> dict[tuple[str, str], str | None]:
    """How one table's columns are called.

    Args:
        warehouse: what messages call the warehouse.
        columns: the table's columns, name to type.

    Raises:
        BadWarehouse: a required column is not there, or ids are of a type that can hold fractions.
    """
    by_lower = {name.lower(): name for name in columns} | {name: name for name in columns if name.islower()}
    layout: dict[tuple[str, str], str | None] = {}
    for column in TABLES[table]:
        found = next((by_lower[name] for name in column.names if name in by_lower), None)
        if found is None and column.required:
            raise BadWarehouse(
                f"table {table} of {warehouse} has no column {' or '.join(column.names)}: it has "
                f"{', '.join(columns)}"
            )
        if found is not None and column.is_id and _NO_ID_TYPE.match(columns[found]):
            raise BadWarehouse(
                f"column {table}.{found} of {warehouse} is {columns[found]}, but ids are text or whole "
                f"numbers: cast it to BIGINT or to text"
            )
        layout[table, column.names[0]] = found
    return layout
