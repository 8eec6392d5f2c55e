"""The files of ``sql/`` as syntax trees."""

from functools import cache

import sqlglot
from sqlglot import exp

import sql

WRITTEN_IN = "duckdb"


@cache
def parsed(name: str) -> exp.Query:
    """The tree of ``name``.sql; copy it before you change it."""
    tree = sqlglot.parse_one(sql.read(name), read=WRITTEN_IN)
    assert isinstance(tree, exp.Query)
    return tree
