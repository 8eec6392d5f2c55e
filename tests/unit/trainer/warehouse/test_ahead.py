"""Rows too far ahead of now, by a setting, are left out; the stream makes such events dead letters."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlglot import parse_one

from schemas.features import FEATURES
from segue.config.settings import Settings
from segue.config.trainer_extra import open_warehouse as opened
from tests.support.inputs.shops import Shop, write_csv
from trainer.warehouse import Reading, Rejected, open_warehouse
from trainer.warehouse.queries.shop_queries import Queries
from trainer.warehouse.tables.table_layout import TABLES

NOW = datetime(2024, 6, 1, tzinfo=UTC)
READING = Reading(latest=NOW + timedelta(days=1))
JUST, AHEAD = "2024-06-02 00:00:00", "2024-06-02 00:00:00.000001"
REASON = "created_at is ahead of now by more than max_ahead"


def a_shop() -> Shop:
    shop = Shop().user("in time", JUST).user("ahead", AHEAD, country="Spain")
    return shop.order("1", "in time", created_at=JUST).order("2", "in time", created_at=AHEAD)


def test_such_rows_are_counted_named_and_left_out(tmp_path: Path) -> None:
    with open_warehouse(write_csv(a_shop(), tmp_path), reading=READING) as warehouse:
        assert list(warehouse.rejected()) == [
            Rejected("orders", "2", REASON, AHEAD),
            Rejected("users", "ahead", REASON, AHEAD),
        ]
        (row,) = warehouse.features().to_pylist()
        assert (row["user_id"], row["total_orders"]) == ("in time", 1)
        assert {fact.created_at for fact in warehouse.events()} == {READING.latest}
        assert warehouse.counts().users == 1
        notes = warehouse.notes()
    assert notes[0] == (
        f'left out: 1 row of orders: {REASON}, for example "{AHEAD}" (orders.csv, line 3);'
        " correct the time, or set max_ahead to a longer time"
    )


def test_as_of_a_time_that_time_alone_decides(tmp_path: Path) -> None:
    as_of = NOW + timedelta(days=9)
    with open_warehouse(write_csv(a_shop(), tmp_path), reading=READING) as warehouse:
        assert list(warehouse.rejected(as_of)) == []
        assert len(warehouse.features(as_of)) == 2
        assert len(list(warehouse.events(as_of=as_of))) == 4


def test_the_query_has_one_text_at_all_times_where_no_row_lies_ahead(tmp_path: Path) -> None:
    """It is part of a release, whose bytes the data determine."""
    shop = Shop().user("u", JUST).order("1", "u", created_at=JUST)
    texts = []
    for reading in (Reading(), READING, Reading(latest=NOW + timedelta(days=3))):
        with open_warehouse(write_csv(shop, tmp_path), reading=reading) as warehouse:
            texts.append(warehouse.feature_query())
    assert texts[0] == texts[1] == texts[2]


@pytest.mark.parametrize("dialect", ["duckdb", "postgres", "snowflake", "bigquery"])
def test_every_dialect_can_say_it(dialect: str) -> None:
    layout = {
        (table, column.names[0]): column.names[0] for table, columns in TABLES.items() for column in columns
    }
    queries = Queries(dialect, {table: table for table in TABLES}, layout, latest=READING.latest)
    text = queries.features(None, (), FEATURES)
    assert text.count(REASON) == 2
    assert parse_one(text, read=dialect) is not None


def test_now_and_the_setting_give_the_last_time(tmp_path: Path) -> None:
    folder = write_csv(a_shop(), tmp_path)
    for setting, left_out in (("1d", 2), ("2d", 0)):
        settings = Settings.model_validate({"max_ahead": setting})
        with opened(str(folder), settings, NOW) as warehouse:
            assert warehouse.rejected().total == left_out
