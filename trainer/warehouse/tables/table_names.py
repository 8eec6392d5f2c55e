"""The shop's names of tables and columns, if they differ from Segue's names."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from schemas.errors import BadSetting
from schemas.inputs.fields_read import EVERY_FIELD, FieldsRead
from trainer.warehouse.tables.table_layout import LEVELS, TABLES, columns_of
from trainer.warehouse.tables.table_queries import is_other_statement, is_query, shortened

# In the settings, this name means that the shop does not have the column or the table.
NONE = ""
_ESSENTIAL = "orders"


@dataclass(frozen=True, slots=True)
class Names:
    """The settings ``tables`` and ``columns``, checked when created.

    Attributes:
        tables: the shop's name of each table, by Segue's name; it may be qualified (``crm.customers``), or a
            query over the shop's tables. Empty for a table that the shop does not have.
        columns: the shop's name of each column, by Segue's name of the table and then of the column; empty
            for a column that the shop does not have.
        read: the fields that features read. The settings may also name the columns of a shop's own ones.

    Raises:
        BadSetting: Segue reads no such table or column, or one that Segue needs is empty.
    """

    tables: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    read: FieldsRead = EVERY_FIELD

    def __post_init__(self) -> None:
        for table, name in self.tables.items():
            _check_known(f"tables.{table}", name, "table", table, TABLES)
            if name == NONE and table == _ESSENTIAL:
                fix = "Segue cannot do without it, give the table's name or a query"
                raise BadSetting(f"tables.{table}", name, fix)
            if name != NONE and not name.strip():
                fix = 'give the table\'s name or a query, or "" where the shop has none'
                raise BadSetting(f"tables.{table}", name, fix)
            if is_other_statement(name):
                fix = "it is no query: a query begins with select or with, and only reads"
                raise BadSetting(f"tables.{table}", shortened(name), fix)
        for table, names in self.columns.items():
            _check_known(f"columns.{table}", dict(names), "table", table, TABLES)
            columns = {column.names[0]: column for column in columns_of(table, self.read)}
            for column, name in names.items():
                _check_column(table, column, name, columns)
                if name == NONE and columns[column].essential:
                    raise BadSetting(
                        f"columns.{table}.{column}",
                        name,
                        "Segue cannot do without it, give the column's name",
                    )

    def table(self, table: str) -> str:
        """The shop's name of a table; Segue's name of a table that is a query, or that the shop does not
        have.
        """
        name = self.tables.get(table, table)
        return table if name == NONE or is_query(name) else name

    def query(self, table: str) -> str | None:
        """The query that a table is; None for a table with a name."""
        name = self.tables.get(table, table)
        return name if is_query(name) else None

    def has(self, table: str) -> bool:
        """Whether the shop has the table, as far as the settings say."""
        return self.tables.get(table, table) != NONE

    def lacks(self, table: str, column: str) -> bool:
        """Whether the settings say that the shop does not have a column (Segue's name)."""
        return self.columns.get(table, {}).get(column) == NONE

    def column(self, table: str, own: str) -> str:
        """A column for a message: the shop's names of table and column."""
        return f"{self.table(table)}.{own}"

    def describe(self, table: str) -> str:
        """A table for a message: the shop's name, and the setting if it is not Segue's name."""
        if self.query(table) is not None:
            return f"{table} (the query of the setting tables.{table})"
        name = self.table(table)
        return name if name == table else f"{name} (setting tables.{table})"


A_VIEW = "in a query (docs/your-data.md)"
"""Where to convert a column, for a message."""


def table_fix(names: Names, table: str, known: Collection[str], make: str) -> str:
    """The advice in a message about a missing table.

    Args:
        names: the shop's names of the tables.
        table: Segue's name of the missing table.
        known: the names of the existing tables.
        make: how to make a table with the name.
    """
    free = set(known) - {names.table(other) for other in TABLES}
    near = nearest(names.table(table), sorted(free))
    fix = (
        f"{make}, or set tables.{table} in segue.toml to the name that it has or to a query;"
        " segue init proposes them"
    )
    return f"{near} Else {fix}" if near else fix


def nearest(name: str, names: Collection[str]) -> str:
    """``did you mean X?`` if one of the names is similar; else an empty text.

    >>> nearest("custmers", ["customers", "orders"]), nearest("x", ["customers"])
    ('did you mean customers?', '')
    """
    by_lower = {known.lower(): known for known in names}
    near = get_close_matches(name.lower(), by_lower, 1)
    return f"did you mean {by_lower[near[0]]}?" if near else ""


def _check_column(table: str, column: str, name: str, known: Collection[str]) -> None:
    """A column that is neither known nor resembles a known one may be a field that no feature reads."""
    setting, kind = f"columns.{table}.{column}", f"column of {table}"
    if column in known or nearest(column, known):
        _check_known(setting, name, kind, column, known)
        return
    source = f"{LEVELS[table]}.{column}"
    raise BadSetting(
        setting,
        name,
        f"no feature reads {source}: declare a feature with this source, take the line out, or use one of"
        f" {', '.join(known)}",
    )


def _check_known(setting: str, value: object, kind: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        fix = nearest(name, known) or f"use one of {', '.join(known)}"
        raise BadSetting(setting, value, f"Segue reads no such {kind}, {fix}")
