"""docs/your-data.md: each of its settings files reads the shop that it is for, and each line is in one."""

import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from schemas.input_events import Item, Order
from segue.cli.main import run
from segue.config.load_settings import load_settings
from segue.config.trainer_extra import open_warehouse
from trainer.warehouse import Names

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "your-data.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^```toml\n# ([^\n]+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
SHOPS = ROOT / "tests" / "data" / "shops"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "segue.toml"


def read(shop: str, settings: Path) -> tuple[dict[str, dict[str, Any]], dict[str, Order], list[str]]:
    """The features by user, the orders by id, and the notes."""
    settings.write_text(BLOCKS[shop], encoding="utf-8")
    loaded = load_settings(settings)
    with open_warehouse(str(SHOPS / shop), loaded, NOW) as warehouse:
        rows = warehouse.features(None, loaded.exclude_statuses, loaded.model_features).to_pylist()
        orders = {event.order_id: event for event in warehouse.events() if isinstance(event, Order)}
        return {row.pop("user_id"): row for row in rows}, orders, warehouse.notes()


def test_every_shop_has_its_settings() -> None:
    assert {path.name for path in SHOPS.iterdir() if path.is_dir()} == BLOCKS.keys() - {
        "how a table is named"
    }


def test_every_line_of_the_table_is_in_an_example() -> None:
    rows = re.findall(r"^\| .* \| (.+) \|$", PAGE, re.MULTILINE)
    lines = [code for row in rows for code in re.findall("`(.+?)`", row)]
    examples = " ".join(" ".join(BLOCKS.values()).split())
    assert len(lines) > 16
    assert {line for line in lines if line not in examples} == {"segue.toml"}


def test_how_a_table_is_named() -> None:
    names = Names(tomllib.loads(BLOCKS["how a table is named"])["tables"])
    assert names.table("users") == "crm.customers"
    assert names.query("orders") is not None
    assert not names.has("inventory_items")


def test_electronics(settings: Path) -> None:
    users, orders, notes = read("electronics", settings)
    assert notes == []
    # Born on 6/12/1957. Order 366002 in store 10 (Canada, 1,210 square metres), 366003 in 20 (Germany).
    assert users["302"] == {
        "age": 63,
        "gender": "Male",
        "continent": "Europe",
        "state": "Bayern",
        "total_orders": 2,
        "total_spend": 1249.5 + 2 * 899 + 2 * 48 + 3 * 20.25 + 12.99,
        "usual_store": "Canada",  # a tie: the older order's
        "largest_store": 1210,
        "most_frequent_brand": "Kestrel",
        "most_frequent_category": "Audio",  # three pieces as of Games, in the same order: the smaller MD5
    }
    assert orders["366002"].created_at == datetime(2019, 2, 11, tzinfo=UTC)
    # Lines of products 2 and 4 on "sales 2019.csv"; "$1,249.50 " and "$899.00 " on products.csv.
    assert sorted(orders["366002"].items, key=repr) == [
        Item("Kestrel", "Computers", None, 899, 2),
        Item("Northlight", "TV and Video", None, 1249.5, 1),
    ]
    assert {order.created_at.year for order in orders.values()} == {2019, 2020}


def test_sprocket(settings: Path) -> None:
    users, orders, notes = read("sprocket", settings)
    assert notes == []
    # F, Female, Femal, M, Male; U is unknown, and customer 6 is deceased but has orders.
    assert [users[str(number)]["gender"] for number in range(1, 7)] == ["F", "F", "F", "M", "M", None]
    # Born on 1957-08-04.
    assert users["2"]["age"] == 60
    assert users["6"]["age"] is None
    # "New South Wales" and "n/a"; "1.120,00" and "1.699,95", online and not: a tie, the older order's.
    assert users["4"] == {
        "age": 42,
        "gender": "M",
        "state": "NSW",
        "job_industry": None,
        "wealth_segment": "Mass Customer",
        "tenure": 16,
        "owns_car": False,
        "total_orders": 2,
        "total_spend": 1120 + 1699.95,
        "mostly_online": True,
        "most_frequent_brand": "Drift",
        "most_frequent_category": "Standard",
    }
    # "9.4.2017 11:28" and "1.744,50".
    assert orders["3"].created_at == datetime(2017, 4, 9, 11, 28, tzinfo=UTC)
    assert [item.price for item in orders["3"].items] == [1744.5]


def test_flat(settings: Path) -> None:
    users, orders, notes = read("flat", settings)
    assert notes == []
    assert set(users) == {"12583", "12600", "12611", "12644"}
    # Invoices 536300, 536305, 536310 and 536315 of 12583.0.
    assert users["12583"]["total_orders"] == 4
    assert "C536307" not in orders
    assert orders["536301"].created_at == datetime(2010, 12, 4, 8, 33, tzinfo=UTC)


@pytest.mark.parametrize("shop", ["electronics", "sprocket"])
def test_a_release_is_trained_from_the_settings_alone(
    shop: str, settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.write_text(BLOCKS[shop], encoding="utf-8")
    command = ["train", "--current", "none", "--warehouse", str(SHOPS / shop), "--k", "2", "--no-compare"]
    assert run([*command, "--out", "here"]) == 0, capsys.readouterr().err


def test_nested_columns_and_negative_amounts_are_read_as_the_page_says() -> None:
    nested, lines, amount = (
        next(code for code in re.findall(r"`([^`\n]+)`", PAGE) if word in code)
        for word in ("profile.", "unnest(", "translate(")
    )
    made = "select 7 as purchase_id, [{'brand': 'a', 'price': 1.5}, {'brand': 'b', 'price': 2.5}] as lines"
    with duckdb.connect() as connection:
        connection.execute(f"create table purchases as {made}")
        assert connection.execute(lines).fetchall() == [(7, "a", 1.5), (7, "b", 2.5)]
        profile = "(select {'address': {'country': 'ES'}} as profile, '(1,249.50)' as amount)"
        assert connection.execute(f"select {nested}, {amount} from {profile}").fetchall() == [("ES", -1249.5)]
