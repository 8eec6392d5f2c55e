"""The references to the tables in the warehouse's SQL."""

from collections.abc import Mapping

from sqlglot import exp
from sqlglot.errors import SqlglotError

from schemas.errors import BadSetting
from trainer.warehouse.tables.table_layout import TABLES
from trainer.warehouse.tables.table_names import Names


def references(names: Names, dialect: str) -> Mapping[str, str]:
    """The reference to each table in a query, by Segue's name of the table.

    A name without quotes stays without quotes: the warehouse then applies its own rules for case.

    Raises:
        BadSetting: a setting is not a table's name.
    """
    return {table: _reference(table, names.table(table), dialect) for table in TABLES}


def _reference(table: str, name: str, dialect: str) -> str:
    try:
        found = exp.to_table(name, dialect=dialect)
    except SqlglotError:
        found = None
    # SQL also accepts a call such as generate_series(1, 2) as a table, and a comment after any name.
    if found is None or not isinstance(found.this, exp.Identifier) or found.comments:
        raise BadSetting(
            f"tables.{table}",
            name,
            'give a table\'s name, qualified if need be: customers, crm.customers, "My Shop".customers',
        )
    return found.sql(dialect)
