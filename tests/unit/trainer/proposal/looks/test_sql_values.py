"""The values of a shop's columns in DuckDB's SQL."""

import duckdb
import pytest

from trainer.proposal.looks.shop_columns import ShopColumn
from trainer.proposal.looks.sql_values import age_sql, number_sql
from trainer.proposal.written.date_forms import DateForm
from trainer.proposal.written.number_forms import NumberForm


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        ("2e5", NumberForm(signs=True), "2e5"),
        ("1.5E+03 ", NumberForm(signs=True), "1.5E+03"),
        ("EUR\u00a07.50 €", NumberForm(signs=True), "7.50"),
        ("-12 %", NumberForm(signs=True), "-12"),
        ("1 249,50 €", NumberForm(",", signs=True), "1249.50"),
        ("1 249,50 zł", NumberForm(",", signs=True), "1249.50"),
        ("￥1,250円", NumberForm(thousands=True, signs=True), "1250"),
        ("1'249,50 CHF", NumberForm(",", signs=True), "1249.50"),
        ("1.234.567,5", NumberForm(",", thousands=True), "1234567.5"),
        ("$1,234,567.5", NumberForm(thousands=True, signs=True), "1234567.5"),
        # No number must come of these: their rows are left out and named.
        ("12 kg", NumberForm(signs=True), "12kg"),
        ("5/10", NumberForm(signs=True), "5/10"),
        ("(5.00)", NumberForm(signs=True), "(5.00)"),
        ("12,5", NumberForm(thousands=True), "12,5"),
    ],
)
def test_a_number_as_text(value: str, form: NumberForm, text: str) -> None:
    column = ShopColumn("p", "number", 9, 9, 9, number=form)
    with duckdb.connect() as connection:
        found = connection.execute(f"select {number_sql('p', column)} from (select ? as p)", [value])
        assert found.fetchall() == [(text,)]


@pytest.mark.parametrize(
    ("value", "age"), [("02/01/41", 82), ("31/12/99", 24), ("03/01/24", 99), ("red", None)]
)
def test_an_age_from_a_year_of_two_digits(value: str, age: int | None) -> None:
    column = ShopColumn("b", "date", 9, 9, 9, date=DateForm(("%d/%m/%y",)))
    with duckdb.connect() as connection:
        found = connection.execute(
            f"select {age_sql('b', column, '2024-01-01', 'duckdb')} from (select ? as b)", [value]
        )
        assert found.fetchall() == [(age,)]
