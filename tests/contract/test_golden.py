"""The queries in the dialects that no test can run: as the files say, and as sqlglot reads them back."""

from functools import cache

import pytest
import sqlglot
from sqlglot import exp

from tests.support.checks import golden_queries

each_dialect = pytest.mark.parametrize("dialect", golden_queries.DIALECTS)


@cache
def trees(dialect: str) -> list[exp.Expr]:
    return [sqlglot.parse_one(text, read=dialect) for text in golden_queries.queries(dialect).values()]


@each_dialect
def test_the_queries_are_as_in_the_files(dialect: str) -> None:
    for path, text in golden_queries.files(dialect):
        assert path.read_text(encoding="utf-8") == text, (
            "look at what changed, then: python -m tests.support.checks.golden_queries"
        )


@each_dialect
def test_a_query_that_is_parsed_and_written_again_is_the_same(dialect: str) -> None:
    for tree, text in zip(trees(dialect), golden_queries.queries(dialect).values(), strict=True):
        assert tree.sql(dialect, pretty=True) + "\n" == text


@each_dialect
def test_nothing_is_left_that_only_duckdb_knows(dialect: str) -> None:
    for tree in trees(dialect):
        assert {function.name.lower() for function in tree.find_all(exp.Anonymous)} == set()
        assert not list(tree.find_all(exp.Placeholder, exp.Parameter, exp.Collate))


@each_dialect
def test_all_queries_share_the_steps_of_the_features(dialect: str) -> None:
    features, *others = ({step.alias: step for step in tree.find_all(exp.CTE)} for tree in trees(dialect))
    for steps in others:
        for name in ("valid_items", "signups", "everyone"):
            assert steps[name] == features[name]


# Of each pair, what stands in DuckDB's query, and what the dialect's manual says for it.
SNOWFLAKE = (
    'CAST(users."Customer No" AS VARCHAR) AS user_id',  # its text compares by bytes: no collation
    "FROM crm.customers AS users",
    "CAST(NULL AS VARCHAR) AS quantity",
    "REGEXP_LIKE(written, '^[0-9]{1,38}$')",
    "(\\\\.[0-9]+)?( ?UTC",  # a backslash is doubled in a literal
    "OCTET_LENGTH(u.user_id) > 256",
    "DATEADD(\n      MINUTE,\n      -(",
    "TRY_CAST(local_time AS TIMESTAMPNTZ)",
    "TRY_CAST(written AS DECIMAL(38, 0))",
    "TRY_CAST(written AS DOUBLE)",
    "CAST('2024-12-01 00:00:00' AS TIMESTAMPNTZ)",
    "REPLACE(REPLACE(status, '\\\\', '\\\\\\\\'), '\"', '\\\\\"')",
    "status IN ('Cancelled', 'O\\'Hara \\\\ Sons')",
    "MD5(user_id || ':' || value)",  # lowercase hex text by itself
)
BIGQUERY = (
    "CAST(users.`Customer No` AS STRING) AS user_id",
    "FROM crm.customers AS users",
    "CAST(NULL AS STRING) AS quantity",
    "REGEXP_CONTAINS(written, '^[0-9]{1,38}$')",
    "(\\\\.[0-9]+)?( ?UTC",
    "BYTE_LENGTH(u.user_id) > 256",
    "SAFE.DATETIME_SUB(SAFE_CAST(local_time AS DATETIME), INTERVAL (",
    "SAFE_CAST(written AS BIGNUMERIC)",
    "SAFE_CAST(written AS FLOAT64)",
    "CAST('2024-12-01 00:00:00' AS DATETIME)",
    "REPLACE(REPLACE(status, '\\\\', '\\\\\\\\'), '\"', '\\\\\"')",
    "status IN ('Cancelled', 'O\\'Hara \\\\ Sons')",
    "TO_HEX(MD5(user_id || ':' || value))",  # its MD5 is bytes
    "UNION DISTINCT",
    "AS `at`",  # a reserved word
    "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
)


@pytest.mark.parametrize(
    ("dialect", "phrase"),
    [("snowflake", phrase) for phrase in SNOWFLAKE] + [("bigquery", phrase) for phrase in BIGQUERY],
)
def test_the_features_in_each_dialect_s_own_functions(dialect: str, phrase: str) -> None:
    assert phrase in golden_queries.path_of(dialect, "features").read_text(encoding="utf-8")
