"""Names of tables and columns in SQL."""

import re
from functools import cache

import duckdb
from sqlglot import exp
from sqlglot.dialects.postgres import Postgres

# Of PostgreSQL alone.
_FUNCTIONS = frozenset(("USER", "CURRENT_USER", "SESSION_USER", "LOCALTIME", "LOCALTIMESTAMP"))
_SIMPLE = re.compile(r"[a-z_][a-z0-9_]*")
_SIMPLE_IN_ANY_CASE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def quoted(name: str, dialect: str) -> str:
    """A name in SQL; with quotes only where it needs them.

    >>> quoted("CustomerID", "duckdb"), quoted("CustomerID", "postgres"), quoted("sales 2019", "duckdb")
    ('CustomerID', '"CustomerID"', '"sales 2019"')
    >>> quoted('x"; drop', "duckdb"), quoted("order", "duckdb"), quoted("user", "postgres")
    ('"x""; drop"', '"order"', '"user"')
    """
    simple = _SIMPLE_IN_ANY_CASE if dialect == "duckdb" else _SIMPLE
    if simple.fullmatch(name) and name.upper() not in _keywords():
        return name
    return exp.to_identifier(name, quoted=True).sql(dialect)


@cache
def _keywords() -> frozenset[str]:
    """The words that may not stand as a name without quotes, in capitals; some more do no harm."""
    with duckdb.connect(":memory:") as connection:
        query = "select upper(keyword_name) from duckdb_keywords() where keyword_category <> 'unreserved'"
        reserved = {str(row[0]) for row in connection.execute(query).fetchall()}
    words = (word for keyword in Postgres.Tokenizer.KEYWORDS for word in keyword.split())
    return frozenset((*reserved, *words, *_FUNCTIONS))
