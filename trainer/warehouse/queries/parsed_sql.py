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
