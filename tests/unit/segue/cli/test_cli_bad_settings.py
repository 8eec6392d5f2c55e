"""Settings that do not fit a shop, or that do more than read it: a sentence each, and nothing is written."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from segue.cli.main import run

SHOP = Path(__file__).parents[4] / "examples" / "shop"
SETTINGS = (SHOP / "segue.toml").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the shop, where the commands run."""
    copy = shutil.copytree(SHOP, tmp_path / "shop")
    monkeypatch.chdir(copy)
    return copy


def refusal(folder: Path, settings: str, code: int, capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that `train` says about these settings, without the steps before it."""
    (folder / "segue.toml").write_text(settings, encoding="utf-8")
    before = sorted(folder.iterdir())
    assert run(["train", "--warehouse", ".", "--current", "none", "--no-compare"]) == code
    assert sorted(folder.iterdir()) == before
    told = capsys.readouterr()
    assert told.out == ""
    lines = [line for line in told.err.splitlines() if not line.endswith("…")]
    assert len(lines) == 1, told.err
    assert lines[0].startswith("Error: ")
    return lines[0].removeprefix("Error: ")


DECLARATIONS = [
    (
        'kind = "attribute", source = "user.wages"',
        3,
        "table customers (setting tables.users) of folder . has no column wages: it has customer_no, age,",
    ),
    (
        'kind = "sum", source = "order.weight"',
        3,
        "table orders of folder . has no column weight: it has order_no, customer_no, ordered_at, state;",
    ),
    (
        'kind = "most_frequent", source = "item.colour"',
        3,
        "neither table order_lines (setting tables.order_items) nor products (",
    ),
    (
        'kind = "sum", source = "basket.weight"',
        2,
        "setting declare.own.source is 'basket.weight': sum is made from one of price, quantity, ",
    ),
    (
        'kind = "sum", source = "order.state", type = "text"',
        2,
        "setting declare.own.type is 'text': sum reads a number",
    ),
    (
        'kind = "attribute", source = "user.wages", type = "money"',
        2,
        "setting declare.own.type is 'money': use one of text, number, boolean",
    ),
    ('kind = "median", source = "price"', 2, "setting declare.own.kind is 'median': use one of attribute,"),
]


@pytest.mark.parametrize(("declared", "code", "told"), DECLARATIONS)
def test_a_feature_of_a_field_that_is_not_there(
    declared: str, code: int, told: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = f"{SETTINGS}\n[declare]\nown = {{ {declared} }}\n"
    assert refusal(folder, settings, code, capsys).startswith(told)


def test_a_column_that_is_not_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = SETTINGS.replace('status = "state"', 'status = "stat"')
    assert refusal(folder, settings, 2, capsys) == (
        "setting columns.orders.status is 'stat': table orders of folder . has no such column,"
        " did you mean state?"
    )


NO_QUERY = "it is no query: a query begins with select or with, and only reads"
WRITES = "it writes: give a query that only reads"
QUERIES = [
    (
        "select nonsense from orders",
        2,
        'the query of the setting tables.orders fails in folder .: .*"nonsense" not found .*',
    ),
    ("select * from shipments", 2, "the query of the setting tables.orders fails in folder .: .*shipments.*"),
    (
        "select * replace (strptime(ordered_at, '%d.%m.%Y') as ordered_at) from orders",
        3,
        'folder . cannot be read: .*Could not parse string "2.*look first at the query of .* tables.orders.*',
    ),
    (
        "select * form orders",
        2,
        "setting tables.orders is '.*': it is no query in duckdb: .*line 1, column .*",
    ),
    (
        "select * from orders; drop table orders",
        2,
        "setting tables.orders is '.*': give one query, these are 2 statements",
    ),
    ("select * into copied from orders", 2, f"setting tables.orders is '.*': {WRITES}"),
    (
        "with gone as (delete from orders returning *) select * from gone",
        2,
        f"setting tables.orders is '.*': {WRITES}",
    ),
    ("with old as (select 1) insert into orders from old", 2, f"setting tables.orders is '.*': {WRITES}"),
    ("insert into orders select * from orders", 2, f"setting tables.orders is '.*': {NO_QUERY}"),
    ("delete from orders where true", 2, f"setting tables.orders is '.*': {NO_QUERY}"),
    ("update orders set state = 'x'", 2, f"setting tables.orders is .*: {NO_QUERY}"),
    ("create or replace table orders as select 1", 2, f"setting tables.orders is '.*': {NO_QUERY}"),
    ("drop table orders", 2, f"setting tables.orders is '.*': {NO_QUERY}"),
    ("copy orders to 'stolen.csv'", 2, f"setting tables.orders is .*: {NO_QUERY}"),
    ("attach 'other.duckdb'", 2, f"setting tables.orders is .*: {NO_QUERY}"),
    ("pragma database_list", 2, f"setting tables.orders is '.*': {NO_QUERY}"),
]


@pytest.mark.parametrize(("query", "code", "told"), QUERIES, ids=[query[:30] for query, _, _ in QUERIES])
def test_a_query_that_fails_or_that_does_more_than_read(
    query: str, code: int, told: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = SETTINGS.replace("[tables]\n", f"[tables]\norders = '''{query}'''\n")
    line = refusal(folder, settings, code, capsys)
    assert re.fullmatch(told, line), line
