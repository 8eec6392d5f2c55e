"""Times as warehouses write them: which are one, and which moment they are."""

from datetime import UTC, datetime, timedelta

import duckdb

from tests.shops import Shop, write_csv, write_duckdb
from trainer.warehouse import Rejected, open_warehouse

NOON = datetime(2024, 2, 29, 12, 0, 0, tzinfo=UTC)

TIMES = {
    # Nothing, Z, UTC and an offset.
    "2024-02-29 12:00:00": NOON,
    "2024-02-29T12:00:00": NOON,
    "2024-02-29t12:00:00z": NOON,
    "2024-02-29T12:00:00Z": NOON,
    "2024-02-29 12:00:00 UTC": NOON,
    "2024-02-29 12:00:00UTC": NOON,
    "2024-02-29 12:00:00+00:00": NOON,
    "2024-02-29 12:00:00+00": NOON,
    "2024-02-29 14:30:00+02:30": NOON,
    "2024-02-29 14:30:00+0230": NOON,
    "2024-02-29 10:00:00-02": NOON,
    "2024-02-28T12:01:00-23:59": NOON,
    "2024-03-01T11:59:00+23:59": NOON,
    # A date alone is its midnight.
    "2024-02-29": NOON - timedelta(hours=12),
    # Digits beyond microseconds are cut, before 1970 too.
    "2024-02-29 12:00:00.5": NOON + timedelta(milliseconds=500),
    "2024-02-29 12:00:00.123456": NOON + timedelta(microseconds=123456),
    "2024-02-29 12:00:00.1234569Z": NOON + timedelta(microseconds=123456),
    "2024-02-29T14:00:00.123456999+02:00": NOON + timedelta(microseconds=123456),
    "2024-02-29 12:00:00.999999999 UTC": NOON + timedelta(microseconds=999999),
    "1969-12-31 23:59:59.9999999": datetime(1969, 12, 31, 23, 59, 59, 999999, UTC),
    # The ends of time.
    "0001-01-01T00:00:00Z": datetime(1, 1, 1, tzinfo=UTC),
    "9999-12-31T23:59:59.9999999Z": datetime(9999, 12, 31, 23, 59, 59, 999999, UTC),
    # Leap days.
    "2000-02-29 12:00:00": datetime(2000, 2, 29, 12, tzinfo=UTC),
    "1900-02-28 12:00:00": datetime(1900, 2, 28, 12, tzinfo=UTC),
}

NO_TIMES = (
    "yesterday",
    "1700000000",
    "2024-02-29 12:00",
    "2024-02-29 12:00:00 ",
    " 2024-02-29 12:00:00",
    "2024-02-29 12:00:00\n",
    "2024-02-29 12:00:00.",
    "2024-02-29 12:00:00 CET",
    "2024-02-29 12:00:00 +00:00",
    "2024-02-29 12:00:00+24:00",
    "2024-02-29 12:00:00+01:60",
    "2024-02-29 24:00:00",
    "2024-02-29 12:60:00",
    "2024-02-29 12:00:60",
    "2024-2-9 12:00:00",
    "29/02/2024 12:00:00",
    "2024-13-01 12:00:00",
    "2024-04-31 12:00:00",
    "2024-00-10 12:00:00",
    "2024-01-00 12:00:00",
    "2023-02-29 12:00:00",
    "1900-02-29 12:00:00",
    "0000-01-01 00:00:00",
    "0000-02-29 00:00:00",
    "0001-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59-00:01",
    "10000-01-01 00:00:00",
    "infinity",
    "NaT",
    "２０２４-01-01 00:00:00",
)


def test_times_of_text(tmp_path):
    shop = Shop()
    for written in TIMES:
        shop.user(written, written).order(written, written, created_at=written)
    with open_warehouse(write_csv(shop, tmp_path)) as warehouse:
        events = list(warehouse.events())
        assert warehouse.rejected().counts == {}
    assert {event.user_id: event.created_at for event in events} == TIMES
    assert len(events) == 2 * len(TIMES)


def test_what_is_no_time_is_rejected(tmp_path):
    shop = Shop().user("fine")
    for number, written in enumerate(NO_TIMES):
        shop.user(f"{number:02}", written).order(f"{number:02}", "u", created_at=written)
    with open_warehouse(write_csv(shop, tmp_path)) as warehouse:
        assert warehouse.features()["user_id"].to_pylist() == ["fine"]
        rejected = warehouse.rejected()
    ids = [f"{number:02}" for number in range(len(NO_TIMES))]
    assert list(rejected) == [
        Rejected(table, row_id, "created_at is not a time") for table in ("orders", "users") for row_id in ids
    ]


def test_a_missing_time_is_1970_for_a_user_and_an_error_for_an_order(tmp_path):
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


def test_times_of_typed_columns(tmp_path):
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


def test_an_infinite_time_is_none(tmp_path):
    path = write_duckdb(
        Shop().user("u", "infinity").user("v", "-infinity").user("w"), tmp_path / "shop.duckdb"
    )
    with duckdb.connect(path) as connection:
        connection.execute("alter table users alter created_at type timestamp")
    with open_warehouse(path) as warehouse:
        assert warehouse.rejected().counts == {("users", "created_at is not a time"): 2}
