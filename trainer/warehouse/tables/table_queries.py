"""Tables that the settings give as a query: ``tables.orders = "select …"``."""

import re

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from schemas.errors import BadSetting
from schemas.printable import printable_cell

# Comments may stand before the first word. A table cannot be called select or with, unless in quotes.
_QUERY = re.compile(r"(\s|--[^\n]*(\n|$)|/\*.*?\*/)*+(select|with)\b", re.IGNORECASE | re.DOTALL)
# What other statements begin with, as nobody calls a table.
_STATEMENT = re.compile(
    r"\s*(from\s|insert\s+into\s|delete\s+from\s|merge\s+into\s|update\s+\S+\s+set\s|copy\s.+\s(to|from)\s"
    r"|(create|alter|drop|truncate)\s+(or\s+replace\s+)?(temp|temporary|table|view|schema|database)\s"
    r"|attach\s|install\s|pragma\s|set\s+\w+\s*=|call\s+\w+\()",
    re.IGNORECASE | re.DOTALL,
)
_WRITING = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Create, exp.Command, exp.Into)
_SHOWN = 60


def is_query(name: str) -> bool:
    r"""Whether the setting of a table is a query and no name.

    >>> is_query("select * from sales"), is_query("-- all\nWITH a AS …"), is_query("selected_orders")
    (True, True, False)
    """
    return _QUERY.match(name) is not None


def is_other_statement(name: str) -> bool:
    """Whether the setting of a table is a statement that is no query.

    >>> is_other_statement("insert into sales values (1)"), is_other_statement("copy of sales")
    (True, False)
    """
    return _STATEMENT.match(name) is not None


def subquery(table: str, query: str, dialect: str) -> str:
    """The query in brackets, to be read from; without the semicolon at its end.

    The text stays as it is written: another SQL parser's copy of it could mean something else.

    Args:
        table: Segue's name of the table.
        query: the query of the setting.
        dialect: sqlglot's name of the warehouse's dialect.

    Raises:
        BadSetting: the text is no query of this dialect, has several statements, or writes.
    """
    _check_reads_only(table, query, dialect)
    tokens = sqlglot.tokenize(query, dialect=dialect)
    last = next(token for token in reversed(tokens) if token.token_type.name != "SEMICOLON")
    # The line break ends a comment of the query's last line.
    return f"(\n{query[: last.end + 1]}\n)"


def tables_in(query: str, dialect: str) -> set[str]:
    """The names of the tables that a query (or a subquery in brackets) reads, and those of its own steps."""
    return {found.name for found in sqlglot.parse_one(query, dialect=dialect).find_all(exp.Table)}


def _check_reads_only(table: str, query: str, dialect: str) -> None:
    setting, value = f"tables.{table}", shortened(query)
    try:
        parsed = sqlglot.parse(query, dialect=dialect)
    except SqlglotError as error:
        raise BadSetting(setting, value, f"it is no query in {dialect}: {_reason(error)}") from None
    statements = [one for one in parsed if one is not None and not isinstance(one, exp.Semicolon)]
    if len(statements) != 1:
        raise BadSetting(setting, value, f"give one query, these are {len(statements)} statements")
    if not isinstance(statements[0], exp.Query) or statements[0].find(*_WRITING) is not None:
        raise BadSetting(setting, value, "it writes: give a query that only reads")


def shortened(query: str) -> str:
    r"""The beginning of a query on one line, for a message.

    >>> shortened("select *\n  from sales")
    'select * from sales'
    """
    line = " ".join(query.split())
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"


def _reason(error: SqlglotError) -> str:
    """The parser's reason on one line, with the line and column of the query if they are known."""
    details = getattr(error, "errors", None) or [{}]
    text = printable_cell(" ".join(str(details[0].get("description") or error).split()))
    # The parser names its own classes.
    text = re.sub(r"<class '[\w.]*?(\w+)'>", r"\1", text)
    line, column = details[0].get("line"), details[0].get("col")
    return f"{text} (line {line}, column {column} of the query)" if line else text
