"""The queries as text: one definition, translated, with nothing left open."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlglot

from schemas.features import FEATURES
from tests.support.inputs.shops import Shop, write_csv
from tests.support.strategies.features import RICH
from trainer.warehouse import open_warehouse
from trainer.warehouse.queries.shop_queries import Queries
from trainer.warehouse.tables.table_layout import TABLES

LAYOUT = {
    (table, column.names[0]): column.names[0] for table, columns in TABLES.items() for column in columns
}
TABLE_NAMES = {table: table for table in TABLES}
AS_OF = datetime(2024, 1, 1, tzinfo=UTC)


def texts(dialect: str) -> list[str]:
    queries = Queries(dialect, TABLE_NAMES, LAYOUT)
    return [
        queries.features(AS_OF, ("Cancelled", "O'Hara"), RICH),
        queries.events(AS_OF, AS_OF, "time"),
        queries.rejected(AS_OF, 100),
        queries.counts(AS_OF),
    ]


@pytest.mark.parametrize("dialect", ["duckdb", "postgres"])
def test_every_query_is_complete(dialect: str) -> None:
    for text in texts(dialect):
        tree = sqlglot.parse_one(text, read=dialect)
        assert not list(tree.find_all(sqlglot.exp.Placeholder, sqlglot.exp.Parameter))


def test_all_queries_share_one_definition_of_a_fact() -> None:
    features, *others = map(steps_of, texts("duckdb"))
    for steps in others:
        for name in (
            "users_checked",
            "items_checked",
            "orders_checked",
            "valid_orders",
            "valid_items",
            "signups",
        ):
            assert steps[name] == features[name]


def steps_of(text: str) -> dict[str, str]:
    steps = sqlglot.parse_one(text, read="duckdb").args["with_"].expressions
    return {step.alias: step.this.sql() for step in steps}


def test_columns_take_the_warehouses_names_and_absent_ones_are_null() -> None:
    layout = LAYOUT | {("users", "user_id"): 'the "id"', ("order_items", "quantity"): None}
    text = Queries("postgres", TABLE_NAMES, layout).features(None, (), FEATURES)
    assert 'CAST(users."the ""id""" AS TEXT)' in text
    assert 'CAST(NULL AS TEXT) COLLATE "C" AS quantity' in text


def test_the_query_names_its_time_and_what_is_excluded(tmp_path: Path) -> None:
    with open_warehouse(write_csv(Shop().user("u"), tmp_path)) as warehouse:
        assert "CAST(NULL AS TIMESTAMP)" in warehouse.feature_query()
        east = datetime(2024, 1, 1, 2, 30, tzinfo=timezone(timedelta(hours=2, minutes=30)))
        text = warehouse.feature_query(east, ("O'Hara",))
        assert "'2024-01-01 00:00:00'" in text
        assert "'O''Hara'" in text
