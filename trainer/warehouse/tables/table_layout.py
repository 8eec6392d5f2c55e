"""The tables and columns that Segue reads."""

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.features import FIELDS


@dataclass(frozen=True, slots=True)
class Column:
    """One column that is read.

    Attributes:
        names: possible names, in any case. The first that the table has is read. The queries and the settings
            use ``names[0]``, Segue's name.
        required: whether the table must have the column, unless the settings say that it does not.
        essential: whether the settings may not leave the column out.
        is_id: whether it has ids, which are text or whole numbers.
    """

    names: tuple[str, ...]
    required: bool = True
    essential: bool = False
    is_id: bool = False


def _id(*names: str) -> Column:
    return Column(names, essential=True, is_id=True)


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
    "orders": (_id("order_id"), _id("user_id"), _optional("status"), Column(("created_at",), essential=True)),
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

_FIELDS = {"product_brand": "brand", "product_category": "category"}


def column_of(table: str, name: str) -> Column:
    """The column of a table with this name (Segue's name)."""
    return next(column for column in TABLES[table] if column.names[0] == name)


def field_of(name: str) -> str | None:
    """The event field of a column (Segue's name); None for an id or a time.

    >>> field_of("product_brand"), field_of("price"), field_of("user_id")
    ('brand', 'price', None)
    """
    field = _FIELDS.get(name, name)
    return field if field in FIELDS else None


def is_read(table: str, name: str, fields: frozenset[str]) -> bool:
    """Whether a column (Segue's name) is needed if these event fields are read."""
    field = field_of(name)
    return field in fields if field is not None else (table, name) != ("order_items", "id")


# (table, Segue's name of a column) to the warehouse's name; None if the warehouse has no such column.
Layout = Mapping[tuple[str, str], str | None]
