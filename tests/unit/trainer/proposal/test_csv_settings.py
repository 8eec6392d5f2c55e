"""One form for all CSV files that are read by name; another form makes a query."""

from collections.abc import Iterator

import pyarrow as pa
import pytest

from trainer.proposal.csv_settings import csv_setting
from trainer.proposal.looks.desk import Desk
from trainer.proposal.looks.shop_columns import ShopColumn, ShopTable
from trainer.proposal.table_plan import TablePlan, Value, ValueKind
from trainer.warehouse.tables.reading_rules import Csv


@pytest.fixture
def desk() -> Iterator[Desk]:
    with Desk() as desk:
        yield desk


def plan(desk: Desk, target: str, kind: ValueKind, values: list[str]) -> TablePlan:
    place = desk.add(pa.table({"c": pa.array(values, pa.string())}))
    column = desk.column(place, 0, "d" if kind == "time" else "p", "", len(values))
    table = ShopTable(target, (target,), len(values), (column,), place, is_csv=True)
    name = "created_at" if kind == "time" else "price"
    return TablePlan(target, table, (Value(name, column, kind),))


def test_forms_are_joined(desk: Desk) -> None:
    plans = [
        plan(desk, "users", "time", ["2024-01-31", "2024-01-31 14:05:00"]),
        plan(desk, "orders", "time", ["31.01.2024"]),
        plan(desk, "order_items", "number", ["1,5"]),
    ]
    setting, queries = csv_setting(Csv(";", encoding="cp1252"), plans, [], (), desk)
    assert setting == {
        "separator": ";", "encoding": "cp1252", "decimal": ",",
        "dates": ["%d.%m.%Y", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"],
    }  # fmt: skip
    assert queries == set()


def test_another_order_of_day_and_month_makes_a_query(desk: Desk) -> None:
    plans = [plan(desk, "users", "time", ["1/31/2024"]), plan(desk, "orders", "time", ["31/1/2024"])]
    setting, queries = csv_setting(Csv(), plans, [], (), desk)
    assert setting == {"dates": ["%m/%d/%Y"]}
    assert queries == {"orders"}


def test_another_place_of_the_year_makes_a_query(desk: Desk) -> None:
    plans = [plan(desk, "users", "time", ["99-01-31"]), plan(desk, "orders", "time", ["31-01-99"])]
    setting, queries = csv_setting(Csv(), plans, [], (), desk)
    assert setting == {"dates": ["%y-%m-%d"]}
    assert queries == {"orders"}


@pytest.mark.parametrize(
    "time", ["2024-01-31T14:05:09Z", "2024-01-31 14:05:09.5", "2024-01-31 14:05:09 UTC", "2024-01-31 14:05"]
)
@pytest.mark.parametrize("iso_first", [True, False])
def test_iso_times_that_no_form_of_the_setting_reads_make_a_query(
    time: str, iso_first: bool, desk: Desk
) -> None:
    iso = plan(desk, "users", "time", ["2024-01-31"] * 9 + [time])
    other = plan(desk, "orders", "time", ["31.01.2024"])
    setting, queries = csv_setting(Csv(), [iso, other] if iso_first else [other, iso], [], (), desk)
    assert setting == {"dates": ["%d.%m.%Y"]}
    assert queries == {"users"}


def test_another_decimal_mark_makes_a_query(desk: Desk) -> None:
    plans = [plan(desk, "users", "number", ["1.5"]), plan(desk, "order_items", "number", ["1,5"])]
    setting, queries = csv_setting(Csv(), plans, [], (), desk)
    assert setting == {}
    assert queries == {"order_items"}


def test_a_point_in_a_rare_value_is_a_decimal_mark(desk: Desk) -> None:
    # [csv] decimal = "," would read 600.600 as 600600.
    prices = plan(desk, "order_items", "number", [*map(str, range(10, 1500))] * 2 + ["600.600"])
    setting, queries = csv_setting(Csv(), [plan(desk, "users", "number", ["1,5"]), prices], [], (), desk)
    assert setting == {"decimal": ","}
    assert queries == {"order_items"}


def test_points_between_thousands_are_read_by_the_setting(desk: Desk) -> None:
    points = plan(desk, "users", "number", ["430", "1.034"])
    assert csv_setting(Csv(), [points], [], (), desk) == ({"decimal": ","}, set())


def test_a_comma_in_a_rare_value_is_a_decimal_mark(desk: Desk) -> None:
    prices = plan(desk, "order_items", "number", [*map(str, range(10, 1500))] * 2 + ["12,5"])
    assert csv_setting(Csv(), [prices], [], (), desk)[0] == {"decimal": ","}


def test_words_for_nothing_of_the_columns_that_are_read(desk: Desk) -> None:
    column = ShopColumn("x", "number", 9, 9, 9, null_words=("NULL", "N/A"))
    assert csv_setting(Csv(), [], [column], (), desk)[0] == {"nulls": ["N/A", "NULL"]}
    # Else the setting would empty a column in which the word is a value: NA is Namibia.
    assert csv_setting(Csv(), [], [column], {"N/A", "DE"}, desk)[0] == {"nulls": ["NULL"]}
