"""Columns of a table are looked at as a whole, whatever their values are."""

import pyarrow as pa
import pytest

from trainer.proposal.looks.desk import Desk
from trainer.proposal.looks.shop_columns import ShopColumn
from trainer.proposal.looks.sql_values import time_sql


def looked_at(values: list[str | None], name: str = "x", kind: str = "") -> ShopColumn:
    with Desk() as desk:
        place = desk.add(pa.table({"c": pa.array(values, pa.string())}))
        return desk.column(place, 0, name, kind, desk.rows(place))


def test_blank_values_and_words_for_nothing_are_no_values() -> None:
    column = looked_at(["1", "2", "2", " ", None, "N/A", "null"])
    assert (column.kind, column.rows, column.filled, column.distinct) == ("number", 7, 3, 2)
    assert set(column.null_words) == {"N/A", "null"}
    assert column.samples == ("2", "1")


def test_na_is_a_country_among_texts() -> None:
    column = looked_at(["NA", "DE", "FR", "NULL"])
    assert column.null_words == ("NULL",)
    assert column.filled == 3


@pytest.mark.parametrize("day", range(13, 21))
def test_the_one_day_above_12_among_many_values_decides(day: int) -> None:
    many: list[str | None] = [f"{1 + n % 12}/{1 + n // 12 % 12}/{1900 + n // 144}" for n in range(5_000)]
    unclear, clear = looked_at(many), looked_at([*many, f"{day}/1/1950"])
    assert unclear.date is not None
    assert unclear.date.other == ("%d/%m/%Y",)
    assert clear.date is not None
    assert (clear.date.forms, clear.date.other) == (("%d/%m/%Y",), ())


def test_the_larger_number_of_days_above_12_decides() -> None:
    many: list[str | None] = [f"{1 + n % 12}/{1 + n // 12 % 28}/{1900 + n // 336}" for n in range(5_000)]
    column = looked_at([*many, "31/2/1950"])
    assert column.date is not None
    assert column.date.forms == ("%m/%d/%Y",)
    assert "1 value (such as 31/2/1950)" in column.date.doubt


def test_ids_as_floats_are_counted() -> None:
    assert looked_at(["17850.0", "12583.0", "7"]).float_ids == 2


@pytest.mark.parametrize(
    ("kind", "looks"),
    [("BIGINT", "number"), ("TIMESTAMP", "date"), ("BOOLEAN", "boolean"), ("BLOB", "unreadable")],
)
def test_a_type_of_the_warehouse_says_what_the_values_are(kind: str, looks: str) -> None:
    assert looked_at(["1"], kind=kind).kind == looks


def test_whole_numbers_of_a_type_may_be_seconds_since_1970() -> None:
    column = looked_at(["1704067200", "1706745600"], "created", "BIGINT")
    assert column.kind == "date"
    assert time_sql("created", column, "duckdb") == "epoch_ms(try_cast(created as bigint) * 1000)"
    assert looked_at(["1704067200", "1706745600"], "points", "BIGINT").kind == "number"
    assert looked_at(["2024013114", "2024020109"], "created", "BIGINT").kind == "number"
