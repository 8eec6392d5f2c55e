"""The tables and columns that Segue reads."""

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.event_fields import KNOWN
from schemas.inputs.fields_read import FieldsRead


@dataclass(frozen=True, slots=True)
class Column:
    """One column that is read.

    Attributes:
        names: possible names, in any case. The first that the table has is read. The settings use
            ``names[0]``, Segue's name.
        required: whether the table must have the column where it is read, unless the settings say that it
            does not.
        essential: whether the settings may not leave the column out.
        is_id: whether it has ids, which are text or whole numbers.
        own: the name of a field of the shop's own, which names the column in the queries; None for others.
    """

    names: tuple[str, ...]
    required: bool = True
    essential: bool = False
    is_id: bool = False
    own: str | None = None

    @property
    def key(self) -> str:
        """The name of the column in the queries."""
        return self.own or self.names[0]


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
        _optional("created_at"),
    ),
    "orders": (_id("order_id"), _id("user_id"), _optional("status"), Column(("created_at",), essential=True)),
    "order_items": (
        _optional("id"),
        _id("order_id"),
        _optional("inventory_item_id", is_id=True),
        _optional("brand"),
        _optional("category"),
        _optional("product_id", is_id=True),
        _optional("price", "sale_price"),
        _optional("quantity"),
    ),
    "inventory_items": (_id("id"), Column(("product_brand",)), Column(("product_category",))),
}

# The columns of `inventory_items` with the known fields of an item, by the field.
STOCK = {"brand": "product_brand", "category": "product_category"}
_FIELDS = {column: field for field, column in STOCK.items()}
# The level of the fields in each table.
LEVELS = {"users": "user", "orders": "order", "order_items": "item", "inventory_items": "item"}


def columns_of(table: str, read: FieldsRead) -> tuple[Column, ...]:
    """The columns of a table: the known ones, then those of the shop's own fields.

    An item's own field may be in either table of items.
    """
    level = LEVELS[table]
    own = (field for field in read.own if field.level == level)
    return (*TABLES[table], *(Column((f.column,), required=level != "item", own=f.name) for f in own))


def is_id(table: str, key: str) -> bool:
    """Whether a column has ids."""
    return any(column.key == key and column.is_id for column in TABLES[table])


def field_of(name: str) -> str | None:
    """The known event field of a column (Segue's name); None for an id or a time.

    >>> field_of("product_brand"), field_of("price"), field_of("user_id")
    ('brand', 'price', None)
    """
    field = _FIELDS.get(name, name)
    return field if field in KNOWN else None


def is_read(table: str, key: str, read: FieldsRead) -> bool:
    """Whether a column is needed if these event fields are read."""
    if any(field.name == key for field in read.own):
        return True
    field = field_of(key)
    return field in read.known if field is not None else (table, key) != ("order_items", "id")


# (table, the column's name in the queries) to the warehouse's name; None if the warehouse has no such column.
Layout = Mapping[tuple[str, str], str | None]
