"""A table may be a query: what is one, and which are refused."""

import pytest

from schemas.errors import BadSetting
from trainer.warehouse import Names
from trainer.warehouse.tables.table_queries import is_query, subquery, tables_in
from trainer.warehouse.tables.table_references import aliased, references


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("select 1", True),
        ("  \n-- all of them\n/* of\nall */ WITH a as (select 1) select * from a", True),
        ("select", True),
        ("selected_orders", False),
        ("with_gifts", False),
        ('"select"', False),
        ("crm.customers", False),
        ("copy of orders", False),
        ("insert into users select 1", False),
    ],
)
def test_what_is_a_query(name: str, query: bool) -> None:
    assert is_query(name) is query


@pytest.mark.parametrize("dialect", ["duckdb", "postgres", "snowflake", "bigquery"])
@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("select a from b", "select a from b"),
        ("-- all\nselect a from b ;\n-- the end", "-- all\nselect a from b"),
        ("select ';' as a -- not ; this", "select ';' as a"),
        ("select a from b;;", "select a from b"),
        ("with c as (select 1 as a) select a from c union all select 2", None),
    ],
)
def test_a_query_stays_as_it_is_written_but_for_its_end(dialect: str, query: str, kept: str | None) -> None:
    assert subquery("users", query, dialect) == f"(\n{kept or query}\n)"


@pytest.mark.parametrize(
    ("dialect", "query", "why"),
    [
        ("duckdb", "select 1; select 2", "give one query, these are 2 statements"),
        ("duckdb", "select 1; drop table users", "give one query, these are 2 statements"),
        ("duckdb", "select 1; copy users to 'x'", "give one query, these are 2 statements"),
        ("duckdb", "select 1; attach 'x' as y; set threads = 1", "give one query, these are 3 statements"),
        ("duckdb", "select 1; pragma database_list", "give one query, these are 2 statements"),
        ("postgres", "select 1; call tidy()", "give one query, these are 2 statements"),
        ("postgres", "select * into copied from users", "it writes: give a query that only reads"),
        (
            "postgres",
            "with gone as (delete from users returning *) select * from gone",
            "it writes: give a query that only reads",
        ),
        (
            "postgres",
            "with a as (with b as (update users set age = 1 returning *) select * from b) select * from a",
            "it writes: give a query that only reads",
        ),
        (
            "postgres",
            "with a as (select 1) insert into users select * from a",
            "it writes: give a query that only reads",
        ),
        ("snowflake", "with a as (select 1) delete from users", "it writes: give a query that only reads"),
        ("bigquery", "select 1; create table x as select 1", "give one query, these are 2 statements"),
        ("duckdb", "select frm where (", "it is no query in duckdb: "),
        ("duckdb", "select 'open", "it is no query in duckdb: "),
        ("duckdb", "select", "it is no query in duckdb: "),
    ],
)
def test_more_than_one_statement_and_one_that_writes_are_refused(dialect: str, query: str, why: str) -> None:
    if query == "select":
        query += " from"
    with pytest.raises(BadSetting) as caught:
        references(Names({"orders": query}), dialect)
    said = str(caught.value)
    assert said.startswith(f"setting tables.orders is {query!r}: {why}") or len(query) > 60
    assert why in said
    assert "\n" not in said
    assert "<class" not in said


def test_a_long_query_is_shortened_and_safe_for_a_terminal() -> None:
    query = "select '\x1b[31m',\n" + "  1,\n" * 100 + "(("
    with pytest.raises(BadSetting) as caught:
        references(Names({"users": query}), "duckdb")
    said = str(caught.value)
    assert said.isprintable()
    assert len(said) < 300


def test_its_tables_are_found_inside_and_in_quotes() -> None:
    query = 'with a as (select * from "my sales") select (select max(x) from c) from a join s.d using (k)'
    assert tables_in(query, "duckdb") == {"a", "my sales", "c", "d"}


def test_a_table_that_the_shop_does_not_have() -> None:
    names = Names({"inventory_items": "", "order_items": "", "users": ""})
    assert set(references(names, "duckdb")) == {"orders"}
    assert [names.has(table) for table in ("users", "orders")] == [False, True]
    with pytest.raises(BadSetting) as caught:
        Names({"orders": ""})
    assert str(caught.value) == (
        "setting tables.orders is '': Segue cannot do without it, give the table's name or a query"
    )


def test_a_query_is_called_by_its_setting_in_messages() -> None:
    names = Names({"orders": "select 1", "users": "people"})
    assert names.describe("orders") == "orders (the query of the setting tables.orders)"
    assert names.column("orders", "no") == "orders.no"
    assert names.describe("users") == "people (setting tables.users)"


def test_a_reference_gets_segue_s_name() -> None:
    assert aliased("(\nselect $1, 'x' -- as it is\n)", "users", "duckdb").sql("duckdb") == (
        "(\nselect $1, 'x' -- as it is\n) AS users"
    )
    assert aliased("crm.people", "users", "postgres").sql("postgres") == "crm.people AS users"
    assert aliased("users", "users", "postgres").sql("postgres") == "users"
