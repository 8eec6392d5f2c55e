"""The tables as the warehouse's SQL names them."""

from collections.abc import Mapping

from sqlglot import exp
from sqlglot.errors import SqlglotError

from schemas.errors import BadSetting
from trainer.warehouse.tables.table_layout import TABLES
from trainer.warehouse.tables.table_names import Names


def references(names: Names, dialect: str) -> Mapping[str, str]:
    """By Segue's name of a table, how a query refers to it.

    What is written without quotes stays so, and the warehouse finds it in the case that it likes.

    Raises:
        BadSetting: a setting is not a table's name.
    """
    return {table: _reference(table, names.table(table), dialect) for table in TABLES}


def _reference(table: str, name: str, dialect: str) -> str:
    try:
        found = exp.to_table(name, dialect=dialect)
    except SqlglotError:
        found = None
    # A call such as generate_series(1, 2) is a table for SQL, and a comment may follow any name.
    if found is None or not isinstance(found.this, exp.Identifier) or found.comments:
        raise BadSetting(
            f"tables.{table}",
            name,
            'give a table\'s name, qualified if need be: customers, crm.customers, "My Shop".customers',
        )
    return found.sql(dialect)
