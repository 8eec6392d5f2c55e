"""Parses the files of ``sql/``."""

from functools import cache
from importlib.resources import files

import sqlglot
from sqlglot import exp

WRITTEN_IN = "duckdb"


@cache
def parsed(name: str) -> exp.Query:
    """The syntax tree of ``name``.sql; it is cached, so copy it before you change it."""
    # trainer/sql is a link to sql/ (in a wheel, a folder): a package named sql would hide that of jupysql.
    text = files("trainer").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
    tree = sqlglot.parse_one(text, read=WRITTEN_IN)
    assert isinstance(tree, exp.Query)
    return tree


def filled(text: str, own: exp.Expression) -> exp.Expression:
    """The expression ``text``, in DuckDB's dialect, with ``own`` in place of each column in it."""
    tree = sqlglot.parse_one(text, read=WRITTEN_IN)
    assert isinstance(tree, exp.Expression)
    for x in list(tree.find_all(exp.Column)):
        x.replace(own.copy())
    return tree
