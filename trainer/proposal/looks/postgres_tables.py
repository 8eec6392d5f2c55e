"""The tables of a PostgreSQL that the login can read, and what to say about the others."""

import re
from collections.abc import Collection, Iterator
from urllib.parse import quote

from schemas.printable import printable_cell
from trainer.proposal.looks.sql_names import quoted
from trainer.warehouse.kinds.postgres_warehouse import columns_sql, option_advice
from trainer.warehouse.kinds.warehouse_source import Source

_ARE_TABLES = "relkind in ('r', 'p', 'v', 'm', 'f')"
_OF_THE_SHOP = r"relnamespace::regnamespace::text not like all (array['pg\_%', 'information\_schema'])"
_LISTED = f"{_ARE_TABLES} and {_OF_THE_SHOP} and pg_table_is_visible(pg_class.oid)"
# A right to the table is a right to each column.
_READABLE = "has_column_privilege(pg_class.oid, attnum, 'select')"

TABLES = columns_sql(f"{_LISTED} and {_READABLE}")
"""The query for the tables on the search path, with the columns that the login may read and their types."""

_NOT_READABLE = f"""
    select relname::text, attname::text
    from pg_attribute inner join pg_class on pg_class.oid = attrelid
    where {_LISTED} and attnum > 0 and not attisdropped and not {_READABLE}
    order by relname, attnum
"""  # noqa: S608 - the conditions are constants
_SCHEMAS = f"""
    select distinct nspname::text
    from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace
    where {_ARE_TABLES} and {_OF_THE_SHOP} and not pg_table_is_visible(pg_class.oid)
        and has_schema_privilege(relnamespace, 'usage') and has_any_column_privilege(pg_class.oid, 'select')
    order by 1
"""  # noqa: S608 - the conditions are constants


def not_listed(source: Source, tables: Collection[str], url: str) -> Iterator[str]:
    """Yield sentences about tables and columns that are not listed, and where tables are if none is.

    Args:
        source: the open PostgreSQL.
        tables: the names of the tables that are listed.
        url: its URL.
    """
    hidden: dict[str, list[str]] = {}
    for table, column in source.rows(_NOT_READABLE):
        hidden.setdefault(str(table), []).append(printable_cell(str(column)))
    for table, columns in hidden.items():
        what = f"{', '.join(columns)} not readable" if table in tables else "not readable"
        yield f"{printable_cell(table)}: {what} by this login"
    schemas = [] if tables else [str(name) for (name,) in source.rows(_SCHEMAS)]
    if schemas:
        named = "the schema" if len(schemas) == 1 else "the schemas"
        advice = option_advice(url, f"search_path%3D{_in_option(schemas[0])}")
        yield (
            f"tables are in {named} {', '.join(map(printable_cell, schemas))}: "
            f"{advice} for {printable_cell(schemas[0])}"
        )


def _in_option(schema: str) -> str:
    r"""A schema in the value of ``options``.

    >>> _in_option("shop"), _in_option("My Shop")
    ('shop', '%22My%5C%20Shop%22')
    """
    return quote(re.sub(r"([\\\s])", r"\\\1", quoted(schema, "postgres")), safe="")
