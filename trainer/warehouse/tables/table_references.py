"""The references to the tables in the warehouse's SQL."""

from sqlglot import exp
from sqlglot.errors import SqlglotError

from schemas.errors import BadSetting
from trainer.warehouse.tables.table_layout import TABLES
from trainer.warehouse.tables.table_names import Names
from trainer.warehouse.tables.table_queries import shortened, subquery


def references(names: Names, dialect: str) -> dict[str, str]:
    """The reference to each table in a query, by Segue's name of the table; without those that the shop
    does not have.

    A name without quotes stays without quotes: the warehouse then applies its own rules for case. A query is
    a subquery in brackets, without an alias.

    Raises:
        BadSetting: a setting is neither a table's name nor a query that only reads.
    """
    return {table: _reference(table, names, dialect) for table in TABLES if names.has(table)}


def aliased(reference: str, alias: str, dialect: str) -> exp.Table:
    """A table of a query, from its reference."""
    if reference.startswith("("):
        found = exp.Table(this=exp.Var(this=reference))  # written as it stands
    else:
        found = exp.to_table(reference, dialect=dialect)
    if found.name != alias:
        found.set("alias", exp.TableAlias(this=exp.to_identifier(alias)))
    return found


def _reference(table: str, names: Names, dialect: str) -> str:
    query = names.query(table)
    return name_of(table, names.table(table), dialect) if query is None else subquery(table, query, dialect)


def name_of(table: str, name: str, dialect: str) -> str:
    """The name of a table in SQL.

    Raises:
        BadSetting: the setting of this table (Segue's name) is not a table's name.
    """
    try:
        found = exp.to_table(name, dialect=dialect)
    except SqlglotError:
        found = None
    # SQL also accepts a call such as generate_series(1, 2) as a table, and a comment after any name.
    if found is None or not isinstance(found.this, exp.Identifier) or found.comments:
        raise BadSetting(
            f"tables.{table}",
            shortened(name),
            'give a table\'s name, qualified if need be (customers, crm.customers, "My Shop".customers), or '
            "a query that begins with select or with",
        )
    return found.sql(dialect)
