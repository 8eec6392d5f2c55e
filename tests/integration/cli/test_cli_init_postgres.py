"""`segue init` on PostgreSQL: names with quotes, texts as dates, and one flat table."""

import json
import tomllib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from segue.cli.main import run
from tests.support.inputs.made_up_exports import database_statements
from tests.support.servers.postgres import Postgres, running_postgres


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as server:
        yield server


def made(postgres: Postgres, *statements: str) -> str:
    url = postgres.new_database()
    with psycopg.connect(url) as connection:
        for statement in statements:
            connection.execute(statement.encode())
    return url


FLAT = """
    create table "Order Lines" as
    select (case when n % 20 = 3 then 'C' else '' end) || (5000 + n / 2)::text as "InvoiceNo",
        'SKU' || n % 7 as "StockCode", case when n % 20 = 3 then -1 else 1 + n % 3 end as "Quantity",
        to_char(timestamp '2017-01-01 08:05' + n * interval '7 hours', 'MM/DD/YYYY HH24:MI') as "InvoiceDate",
        '$' || 2 + n % 5 || '.50 ' as "UnitPrice",
        nullif(100 + n / 2 * 7 % 23 % 15, 107)::float8 as "CustomerID",
        (array['France', 'Spain'])[1 + n / 2 * 7 % 23 % 15 % 2] as "Country", n % 2 = 0 as gift,
        gen_random_uuid() as u,
        '{}'::json as doc
    from generate_series(0, 199) as t(n)
"""


@pytest.mark.parametrize(
    "statements", [database_statements("generate_series"), [FLAT]], ids=["tables", "flat"]
)
def test_init_then_train(
    statements: list[str],
    postgres: Postgres,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    url = made(postgres, *statements)

    assert run(["init", "--warehouse", url]) == 0, capsys.readouterr().err

    said = capsys.readouterr().err
    assert "Read segue.toml, then: segue train --warehouse URL" in said
    settings = tomllib.loads(Path("segue.toml").read_text(encoding="utf-8"))
    assert "total_spend" in settings["features"]
    command = ["train", "--warehouse", url, "--current", "none", "--no-compare", "--k", "3"]
    assert run(command) == 0, capsys.readouterr().err


def test_init_reads_an_enumeration_and_a_domain_of_a_domain(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    url = made(
        postgres,
        *database_statements("generate_series"),
        "create type tier as enum ('basic', 'gold')",
        "create domain years as numeric(5, 1)",
        "create domain tenure as years",
        "create domain tier_of_a_client as tier",
        "alter table clients add tier tier, add tenure tenure, add former_tier tier_of_a_client",
        "update clients set tier = (array['basic', 'gold'])[1 + id / 2 % 2]::tier, tenure = id % 9,"
        " former_tier = (array['basic', 'gold'])[1 + id / 3 % 2]::tier",
    )

    assert run(["init", "--warehouse", url]) == 0, capsys.readouterr().err

    declared = tomllib.loads(Path("segue.toml").read_text(encoding="utf-8"))["declare"]
    assert declared["tier"] == {"kind": "attribute", "source": "user.tier", "type": "text"}
    assert declared["former_tier"] == {"kind": "attribute", "source": "user.former_tier", "type": "text"}
    assert declared["tenure"] == {"kind": "attribute", "source": "user.tenure", "type": "number"}
    command = ["train", "--warehouse", url, "--current", "none", "--no-compare", "--k", "3"]
    assert run(command) == 0, capsys.readouterr().err


def test_texts_in_several_forms_and_ids_of_several_types(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    url = made(
        postgres,
        "create table customers as select n as customer_id, case n when 1 then '02/01/41' when 2 then 'red'"
        " else to_char(date '1950-01-31' + n * 30, 'DD/MM/YY') end as birthdate"
        " from generate_series(1, 99) as t(n)",
        "create table orders as select n as order_id, n % 99 + 1 as customer_id, case when n = 1 then"
        " '15/01/2016 14:05' when n = 2 then 'soon' else to_char(date '2016-01-01' + n % 28, 'DD/MM/YYYY')"
        " end as created_at from generate_series(1, 300) as t(n)",
        "create table products as select n as product_id, 'B' || n % 5 as brand"
        " from generate_series(1, 9) as t(n)",
        "create table order_items as select n as order_id, n % 9 + 1 || '.0' as product_id,"
        " case n when 1 then '2e1 ' when 2 then '12 kg' else n || '.50 €' end as total,"
        " case n when 1 then '2' when 2 then 'NULL' else '1' end as quantity"
        " from generate_series(1, 300) as t(n)",
    )

    assert run(["init", "--warehouse", url]) == 0, capsys.readouterr().err

    text = Path("segue.toml").read_text(encoding="utf-8")
    assert "# CHECK: birthdate: its years have two digits" in text
    tables = tomllib.loads(text)["tables"]
    with psycopg.connect(url) as connection:

        def rows(table: str, columns: str) -> list[tuple[Any, ...]]:
            query = f"select {columns} from ({tables[table]}) as made order by 1 limit 3"
            return connection.execute(query.encode()).fetchall()

        assert rows("users", "user_id, age") == [(1, 75), (2, None), (3, 65)]
        times = [datetime(2016, 1, 15, 14, 5), None, datetime(2016, 1, 4)]  # noqa: DTZ001
        assert rows("orders", "order_id, created_at") == list(zip((1, 2, 3), times, strict=True))
        assert rows("order_items", "order_id, brand, price") == [
            (1, "B2", 10),
            (2, "B3", None),
            (3, "B4", 3.5),
        ]


def inspected(url: str, capsys: pytest.CaptureFixture[str], code: int = 0) -> dict[str, Any]:
    assert run(["inspect", "--warehouse", url, "--json"]) == code, capsys.readouterr().err
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_tables_and_columns_that_the_login_may_not_read_are_named(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    url = made(
        postgres,
        *database_statements("generate_series"),
        "create table payroll (salary money)",
        "alter table clients add secret text",
        "create role reader login",
        "grant select on all tables in schema public to reader",
        "revoke select on payroll, clients from reader",
        "grant select (id, age, sex, created_at) on clients to reader",
    )

    assert run(["init", "--warehouse", url.replace("segue@", "reader@")]) == 0, capsys.readouterr().err

    said = capsys.readouterr().err.splitlines()
    assert [line for line in said if "by this login" in line] == [
        "Note: clients: email, secret not readable by this login",
        "Note: payroll: not readable by this login",
    ]


def test_a_view_that_fails_is_named_and_the_others_are_read(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    url = made(
        postgres,
        *database_statements("generate_series"),
        "create view broken as select 1 / (age - 20) as x from clients",
    )

    found = inspected(url, capsys)

    assert [table["name"] for table in found["tables"]] == ["clients", "purchases"]
    assert found["notes"] == ["broken: not read: division by zero"]


def test_a_connection_that_ends_ends_the_command_with_its_reason(
    postgres: Postgres, capsys: pytest.CaptureFixture[str]
) -> None:
    url = made(postgres, "create view ending as select pg_terminate_backend(pg_backend_pid())::text as x")

    assert run(["init", "--warehouse", url, "--out", "never.toml"]) == 3

    assert "cannot be read: terminating connection due to administrator command" in capsys.readouterr().err


def test_tables_of_another_schema_are_named_and_settings_that_read_them_are_tried(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    url = made(
        postgres,
        'create schema "My Shop"',
        "create table \"My Shop\".orders as select n as order_id, n % 5 as user_id, timestamp '2024-01-01'"
        " + n * interval '1 day' as created_at from generate_series(1, 50) as t(n)",
    )
    option = "&options=-csearch_path%3D%22My%5C%20Shop%22"

    assert run(["init", "--warehouse", url]) == run(["inspect", "--warehouse", url]) == 3
    for line in capsys.readouterr().err.splitlines():
        assert line.endswith(
            f"has no table that can be read (tables are in the schema My Shop: add {option} to the URL for"
            " My Shop)"
        )
    assert [table["name"] for table in inspected(url + option, capsys, 3)["tables"]] == ["orders"]
    with_options = f"{url}&options=-cjit%3Doff"
    assert run(["init", "--warehouse", with_options]) == 3
    more = option.removeprefix("&options=")
    assert f"add %20{more} to the end of options in the URL for My Shop" in capsys.readouterr().err
    assert inspected(f"{with_options}%20{more}", capsys, 3)["tables"][0]["name"] == "orders"

    Path("segue.toml").write_text(
        'features = ["total_orders"]\n[tables]\nusers = ""\norders = \'"My Shop".orders\'\n'
    )
    found = inspected(url, capsys)
    assert (found["from"], found["tables"], found["read"]["orders"]) == ("settings", [], 50)


def test_values_of_a_type_without_a_text_are_counted(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    url = made(
        postgres,
        *database_statements("generate_series"),
        "create table odd as select n, case when n > 1 then '{}'::jsonb end as doc, array[n] as list,"
        " case when n > 3 then n::money end as price from generate_series(1, 4) as t(n)",
    )

    (odd,) = (table for table in inspected(url, capsys)["tables"] if table["name"] == "odd")

    assert [(column["empty"], column["samples"]) for column in odd["columns"][1:]] == [
        (0.25, []),
        (0, []),
        (0.75, []),
    ]
