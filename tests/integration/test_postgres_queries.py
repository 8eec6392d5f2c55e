"""Tables that are queries, in a real PostgreSQL."""

import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from schemas.errors import BadSetting, BadSource, BadWarehouse
from tests.support.inputs.shops import Shop, everything, write_csv, write_postgres
from tests.support.servers.postgres import Postgres, running_postgres
from trainer.warehouse import Names, Reading, open_warehouse
from trainer.warehouse.kinds.postgres_warehouse import PostgresSource
from trainer.warehouse.kinds.warehouse_source import NoTable

SHOP = (
    Shop()
    .user("7", age="30", gender="F", country="Spain")
    .user("8", age="old")
    .order("1", "7", ["a/b", {"sale_price": "12.50", "quantity": "3"}])
)


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as server:
        yield server


@pytest.fixture
def database(postgres: Postgres) -> str:
    return write_postgres(SHOP, postgres.new_database())


def execute(database: str, *statements: str) -> None:
    with psycopg.connect(database) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def refusal(database: str, query: str, reading: Reading | None = None) -> str:
    with (
        pytest.raises((BadSetting, BadWarehouse)) as caught,
        open_warehouse(database, Names({"users": query}), reading) as warehouse,
    ):
        warehouse.features()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_every_table_may_be_a_query(database: str, tmp_path: Path) -> None:
    plain = everything(write_csv(SHOP, tmp_path))
    execute(
        database,
        "create schema crm",
        "create table crm.people as select * from users",
        "drop table users",
        "alter table inventory_items rename to inventory",  # the name of one of Segue's steps
    )
    names = Names(
        {
            "users": "with blank as (select * from crm.people) select * from blank -- 100% of them",
            "orders": "select order_id::bigint, user_id::int, status, created_at::timestamp from orders;",
            "order_items": "select id, order_id, inventory_item_id, sale_price::numeric(10, 2) as price, "
            "quantity::int, product_id from order_items",
            "inventory_items": "select * from inventory where id like 'i%' or '$1' = '%s'",
        }
    )
    assert everything(database, names=names) == plain


def test_the_types_of_a_query_s_columns(database: str) -> None:
    execute(
        database,
        "create type mood as enum ('good', 'bad')",
        "create domain name_of as varchar(20)",
        "create domain digits as numeric(10, 0)",
    )
    query = (
        "select 1 as a, 1::numeric(10, 2) as b, 1::numeric(10, 0) as c, 1::numeric as d, 'good'::mood as e, "
        "'x'::name_of as f, 1::digits as g, array[1] as h, ''::bytea as i, now() as j, 1.5 as k, "
        "'{}'::json as l"
    )
    source = PostgresSource(database, Names({"users": query, "order_items": ""}))
    assert source.columns("users") == {
        "a": "integer",
        "b": "numeric(10,2)",
        "c": "numeric(10,0)",
        "d": "numeric",
        "e": "enum",
        "f": "character varying",
        "g": "numeric(10,0)",
        "h": "integer[]",
        "i": "bytea",
        "j": "timestamp with time zone",
        "k": "numeric",
        "l": "json",
    }
    with pytest.raises(NoTable):
        source.columns("order_items")
    assert "order_id" in source.columns("orders")  # the transaction goes on
    source.close()


def test_a_table_that_is_not_there_has_its_own_error(database: str) -> None:
    with pytest.raises(BadSource, match="has no table peopel"):
        open_warehouse(database, Names({"users": "peopel"}))


def test_a_query_that_fails_names_its_setting(database: str) -> None:
    begin = "the query of the setting tables.users fails in PostgreSQL database "
    assert refusal(database, "select * from peopel").startswith(begin)
    assert refusal(database, "select * from peopel").endswith(': relation "peopel" does not exist')
    assert refusal(database, "select nope from users").endswith(': column "nope" does not exist')
    assert refusal(database, "select id, id, age from users").endswith(
        ": it has column id more than once: name the columns that Segue reads"
    )
    at_a_row = "select id, age::int, gender, country, traffic_source, created_at from users"
    assert refusal(database, at_a_row).endswith(
        'cannot be read: invalid input syntax for type integer: "old" (look first at the query of the '
        "setting tables.users)"
    )


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ("statement_timeout", "canceling statement due to statement timeout"),
        ("idle_in_transaction_session_timeout", "terminating connection due to idle-in-transaction timeout"),
    ],
)
def test_a_timeout_of_the_login_is_named_and_not_the_query(database: str, limit: str, reason: str) -> None:
    query = "select users.*, pg_sleep(0.4)::text as slow from users"

    def read_after_a_pause(url: str) -> None:
        with open_warehouse(url, Names({"users": query})) as warehouse:
            time.sleep(0.5)
            warehouse.features()

    with pytest.raises(BadWarehouse) as caught:
        read_after_a_pause(f"{database}&options=-c{limit}%3D300")
    assert str(caught.value).endswith(
        f" cannot be read: {reason} (raise {limit} of this login, or add"
        f" %20-c{limit}%3D0 to the end of options in the URL)"
    )


@pytest.mark.parametrize(
    "query",
    [
        "select * from users; delete from users",
        "with gone as (delete from users returning *) select * from gone",
        "select * into copied from users",
    ],
)
def test_a_query_that_writes_is_refused_before_it_runs(database: str, query: str) -> None:
    assert refusal(database, query).startswith(f"setting tables.users is {query[:60]!r}"[:-1])
    with open_warehouse(database) as warehouse:
        assert warehouse.counts().users == 1


def test_a_query_that_writes_by_a_function_is_stopped_by_the_transaction(database: str) -> None:
    execute(database, "create sequence numbers")
    query = "select users.*, nextval('numbers') as n from users"
    assert "in a read-only transaction" in refusal(database, query, Reading())
