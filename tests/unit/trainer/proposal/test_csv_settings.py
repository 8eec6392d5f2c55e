"""One form for all CSV files that are read by name; another form makes a query."""

from trainer.proposal.csv_settings import csv_setting
from trainer.proposal.looks.date_forms import DateForm
from trainer.proposal.looks.number_forms import NumberForm
from trainer.proposal.looks.shop_columns import ShopColumn, ShopTable
from trainer.proposal.table_plan import TablePlan, Value
from trainer.warehouse.tables.reading_rules import Csv


def plan(target: str, *, dates: tuple[str, ...] | None = None, number: NumberForm | None = None) -> TablePlan:
    values = []
    if dates is not None:
        values.append(
            Value("created_at", ShopColumn("d", "date", 9, 9, 9, ("1",), date=DateForm(dates)), "time")
        )
    if number is not None:
        sample = "1,5" if number.decimal == "," else "1.5"
        values.append(Value("price", ShopColumn("p", "number", 9, 9, 9, (sample,), number=number), "number"))
    table = ShopTable(target, (target,), 9, tuple(value.column for value in values), is_csv=True)
    return TablePlan(target, table, tuple(values))


def test_forms_are_joined() -> None:
    plans = [
        plan("users", dates=()),
        plan("orders", dates=("%d.%m.%Y",)),
        plan("order_items", number=NumberForm(",")),
    ]
    setting, queries = csv_setting(Csv(";", encoding="cp1252"), plans, [], ())
    assert setting == {
        "separator": ";", "encoding": "cp1252", "decimal": ",",
        "dates": ["%d.%m.%Y", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"],
    }  # fmt: skip
    assert queries == set()


def test_another_order_of_day_and_month_makes_a_query() -> None:
    plans = [plan("users", dates=("%m/%d/%Y",)), plan("orders", dates=("%d/%m/%Y",))]
    setting, queries = csv_setting(Csv(), plans, [], ())
    assert setting == {"dates": ["%m/%d/%Y"]}
    assert queries == {"orders"}


def test_another_decimal_mark_makes_a_query() -> None:
    plans = [plan("users", number=NumberForm()), plan("order_items", number=NumberForm(","))]
    setting, queries = csv_setting(Csv(), plans, [], ())
    assert setting == {}
    assert queries == {"order_items"}


def test_words_for_nothing_of_the_columns_that_are_read() -> None:
    column = ShopColumn("x", "number", 9, 9, 9, null_words=("NULL", "N/A"))
    assert csv_setting(Csv(), [], [column], ())[0] == {"nulls": ["N/A", "NULL"]}
    # Else the setting would empty a column in which the word is a value: NA is Namibia.
    assert csv_setting(Csv(), [], [column], {"N/A", "DE"})[0] == {"nulls": ["NULL"]}
