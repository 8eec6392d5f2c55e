"""Times as warehouses write them: which are one, and which moment they are."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb

from tests.support.inputs.hostile_values import NO_TIMES, TIMES
from tests.support.inputs.shops import Shop, write_csv, write_duckdb
from trainer.warehouse import Rejected, open_warehouse


def test_times_of_text(tmp_path: Path) -> None:
    shop = Shop()
    for written in TIMES:
        shop.user(written, written).order(written, written, created_at=written)
    with open_warehouse(write_csv(shop, tmp_path)) as warehouse:
        events = list(warehouse.events())
        assert warehouse.rejected().counts == {}
    assert {event.user_id: event.created_at for event in events} == TIMES
    assert len(events) == 2 * len(TIMES)


def test_what_is_no_time_is_rejected(tmp_path: Path) -> None:
    shop = Shop().user("fine")
    for number, written in enumerate(NO_TIMES):
        shop.user(f"{number:02}", written).order(f"{number:02}", "u", created_at=written)
    with open_warehouse(write_csv(shop, tmp_path)) as warehouse:
        assert warehouse.features()["user_id"].to_pylist() == ["fine"]
        rejected = warehouse.rejected()
    ids = [f"{number:02}" for number in range(len(NO_TIMES))]
    assert list(rejected) == [
        Rejected(table, row_id, "created_at is not a time", written)
        for table in ("orders", "users")
        for row_id, written in zip(ids, NO_TIMES, strict=True)
    ]


def test_a_missing_time_is_1970_for_a_user_and_an_error_for_an_order(tmp_path: Path) -> None:
    shop = (
        Shop()
        .user("u", None)
        .user("v", " ")
        .order("1", "u", created_at=None)
        .order("2", "u", created_at="\t")
    )
    with open_warehouse(write_csv(shop, tmp_path)) as warehouse:
        assert {event.user_id: event.created_at for event in warehouse.events()} == {
            "u": datetime(1970, 1, 1, tzinfo=UTC),
            "v": datetime(1970, 1, 1, tzinfo=UTC),
        }
        assert warehouse.rejected().counts == {("orders", "created_at is missing"): 2}


def test_times_of_typed_columns(tmp_path: Path) -> None:
    """The same moment in each of DuckDB's types, under a time zone that is not UTC."""
    cut = datetime(1969, 12, 31, 23, 59, 59, 123456, UTC)
    columns = {
        "timestamp with time zone": ("1970-01-01 00:59:59.123456+01", cut),
        "timestamp": ("1969-12-31 23:59:59.123456", cut),
        "timestamp_ns": ("1969-12-31 23:59:59.123456789", cut),
        "timestamp_ms": ("1969-12-31 23:59:59.123", cut.replace(microsecond=123000)),
        "timestamp_s": ("1969-12-31 23:59:59", cut.replace(microsecond=0)),
        "date": ("1969-12-31", cut.replace(hour=0, minute=0, second=0, microsecond=0)),
    }
    for number, (kind, (written, expected)) in enumerate(columns.items()):
        path = write_duckdb(Shop().user("u", written), tmp_path / f"{number}.duckdb")
        with duckdb.connect(path) as connection:
            connection.execute("set TimeZone = 'Asia/Kolkata'")
            connection.execute(f"alter table users alter created_at type {kind}")
        with open_warehouse(path) as warehouse:
            assert [event.created_at for event in warehouse.events()] == [expected], kind


def test_an_infinite_time_is_none(tmp_path: Path) -> None:
    path = write_duckdb(
        Shop().user("u", "infinity").user("v", "-infinity").user("w"), tmp_path / "shop.duckdb"
    )
    with duckdb.connect(path) as connection:
        connection.execute("alter table users alter created_at type timestamp")
    with open_warehouse(path) as warehouse:
        assert warehouse.rejected().counts == {("users", "created_at is not a time"): 2}
