"""The files of ``sql/`` as syntax trees."""

from functools import cache
from importlib.resources import files

import sqlglot
from sqlglot import exp

WRITTEN_IN = "duckdb"


@cache
def parsed(name: str) -> exp.Query:
    """The tree of ``name``.sql; copy it before you change it."""
    # trainer/sql is a link to sql/ and a folder in a wheel: a package named sql would hide jupysql's.
    text = files("trainer").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
    tree = sqlglot.parse_one(text, read=WRITTEN_IN)
    assert isinstance(tree, exp.Query)
    return tree
