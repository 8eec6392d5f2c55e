"""Finds the tables and columns that the declared features read; all others need not exist."""

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.errors import BadSource, BadWarehouse
from trainer.warehouse.kinds.warehouse_source import NoTable, Source
from trainer.warehouse.queries.dialects import DECODING, TRYING
from trainer.warehouse.tables.column_types import Form, form_of
from trainer.warehouse.tables.reading_rules import Reading
from trainer.warehouse.tables.resolve_columns import resolve
from trainer.warehouse.tables.table_layout import STOCK, TABLES, Layout, columns_of, is_read
from trainer.warehouse.tables.table_names import Names


@dataclass(frozen=True, slots=True)
class ReadLayout:
    """What is read of a warehouse.

    Attributes:
        tables: the reference to each table that is read, by Segue's name of the table.
        columns: the warehouse's name of each column, by (table, its name in the queries); None if it is not
            read.
        forms: how the values of each column that is read become text.
    """

    tables: Mapping[str, str]
    columns: Mapping[tuple[str, str], str | None]
    forms: Mapping[tuple[str, str], Form]


def read_layout(source: Source, names: Names, reading: Reading) -> ReadLayout:
    """Find the tables and columns that are read.

    Args:
        source: the open warehouse.
        names: the shop's names of tables and columns.
        reading: the rules for reading rows; they name the features.

    Raises:
        BadWarehouse: a table or column is missing that a feature reads, or a column cannot be read.
        BadSetting: the table does not have a column that the settings name.
    """
    read = reading.fields
    columns: dict[tuple[str, str], str | None] = {
        (table, column.key): None for table in TABLES for column in columns_of(table, read)
    }
    forms: dict[tuple[str, str], Form] = {}
    tables: dict[str, str] = {}

    def add(table: str, *, required: bool) -> None:
        try:
            types = source.columns(table)
        except NoTable as missing:
            if not required:
                return
            if table in names.tables:
                raise BadSource(str(missing)) from None
            raise
        found = resolve(source.name, table, types, names, reading, decodes=source.dialect in DECODING)
        columns.update(found)
        forms.update({key: form_of(types[name]) for key, name in found.items() if name is not None})
        tables[table] = source.tables[table]

    add("users", required=read.profile)
    add("orders", required=True)
    if read.items:
        add("order_items", required=True)
        wanted = _in_stock(columns, reading)
        refers = columns["order_items", "inventory_item_id"] is not None
        if wanted or (refers and _doubtful(columns, names, reading)):
            add("inventory_items", required=bool(wanted))
        if wanted:
            _check_stock(source, names, columns, wanted)
        _choose_one(columns, names, reading)
    if source.dialect != TRYING:
        # Bytes that are not text would make every query fail.
        unread = [key for key, form in forms.items() if form is Form.BYTES and not is_read(*key, read)]
        columns.update(dict.fromkeys(unread))
    return ReadLayout(tables, columns, forms)


def _in_stock(columns: Layout, reading: Reading) -> list[str]:
    """The fields of items that are read and that the table of items does not have."""
    read = reading.fields
    fields = [*(name for name in STOCK if name in read.known), *(field.name for field in read.item)]
    return [name for name in fields if columns["order_items", name] is None]


def _doubtful(columns: Layout, names: Names, reading: Reading) -> list[str]:
    """The brand and category that the table of items has by its own names only."""
    mapped = names.columns.get("order_items", {})
    known = reading.fields.known
    return [name for name in STOCK if name in known and columns["order_items", name] and name not in mapped]


def _choose_one(columns: dict[tuple[str, str], str | None], names: Names, reading: Reading) -> None:
    """Read each field of items from one table, so that a value never comes from the other by chance.

    A shop's own field is read from `order_items` if it is there. Brand and category are read from
    `inventory_items`, unless the settings name a column of `order_items`.
    """
    mapped = names.columns.get("order_items", {})
    for name, in_stock in (*STOCK.items(), *((field.name, field.name) for field in reading.fields.item)):
        here, there = ("order_items", name), ("inventory_items", in_stock)
        if columns[here] is None or columns[there] is None:
            continue
        refers = columns["order_items", "inventory_item_id"] is not None
        columns[here if name in STOCK and refers and name not in mapped else there] = None


def _check_stock(source: Source, names: Names, columns: Layout, wanted: list[str]) -> None:
    """Check that the second table of items has the fields, and that the first refers to it."""
    if columns["order_items", "inventory_item_id"] is None:
        table = names.describe("order_items")
        raise BadWarehouse(
            f"table {table} of {source.name} has no column inventory_item_id, by which an item finds its"
            f" {_column(wanted[0])}: name the column under [columns.order_items] in segue.toml, or the column"
            f" of {table} that has the {_column(wanted[0])} itself"
        )
    for name in wanted:
        if name not in STOCK and columns["inventory_items", name] is None:
            raise BadWarehouse(
                f"neither table {names.describe('order_items')} nor {names.describe('inventory_items')} of"
                f" {source.name} has a column {_column(name)}: name the right one in segue.toml, under"
                f' [columns.order_items] "{_column(name)}" = "…", or declare no feature of it'
            )


def _column(field: str) -> str:
    return field.removeprefix("item.")
