"""`segue inspect`: what is in a warehouse, for people and for programs, and how settings fit."""

import json
from pathlib import Path

import duckdb
import pytest

from segue.cli.main import run
from tests.support.inputs import made_up_exports as exports

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)


def test_tables_mapping_and_what_is_left_out_in_80_columns(tmp_path: Path, capsys: Capture) -> None:
    exports.german(tmp_path / "shop")

    assert run(["inspect", "--warehouse", "shop"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "Bestellungen: 150 rows" in lines
    assert any(line.startswith("  Bestelldatum             date %d.%m.%Y %H:%M") for line in lines)
    assert any(line.startswith("  Einzelpreis              number 1.234,5") for line in lines)
    text = " ".join(" ".join(lines).split())
    assert "orders: order_id = Bestellnummer, user_id = Kundennummer, created_at = Bestelldatum" in text
    assert "no feature: Kunden.E-Mail: a contact of a person" in text
    assert 'created_at is not a time, for example "bald" (Bestellungen.csv, line 35)' in text
    assert not Path("segue.toml").exists()


def test_json(tmp_path: Path, capsys: Capture) -> None:
    exports.german(tmp_path / "shop")

    assert run(["inspect", "--warehouse", "shop", "--json"]) == 0

    found = json.loads(capsys.readouterr().out)
    tables = {table["name"]: table for table in found["tables"]}
    columns = {column["name"]: column for column in tables["Bestellungen"]["columns"]}
    # Orders 9, 59 and 109 of 150 have no user.
    assert columns["Kundennummer"]["empty"] == 0.02
    assert columns["Bestelldatum"]["dates"] == ["%d.%m.%Y %H:%M"]
    assert found["from"] == "proposal"
    assert found["columns_read"]["order_items"]["price"] == "Einzelpreis"
    assert {(one["table"], one["reason"]): one["rows"] for one in found["read"]["rejected"]} == {
        ("orders", "created_at is not a time"): 1,
        ("orders", "user_id is missing"): 3,
        ("orders", "the order has no items"): 1,
    }


def test_settings_that_are_there_are_tried(tmp_path: Path, capsys: Capture) -> None:
    exports.german(tmp_path / "shop")
    assert run(["init", "--warehouse", "shop"]) == 0
    capsys.readouterr()

    assert run(["inspect", "--warehouse", "shop"]) == 0
    assert "Your settings:" in capsys.readouterr().out.splitlines()


def test_settings_that_do_not_fit_are_told_after_the_tables(tmp_path: Path, capsys: Capture) -> None:
    exports.german(tmp_path / "shop")
    Path("segue.toml").write_text(
        'features = ["total_orders"]\n[csv]\nseparator = ";"\n[tables]\nusers = ""\norders = "Bestellung"\n'
    )

    assert run(["inspect", "--warehouse", "shop"]) == 2

    said = capsys.readouterr()
    assert "Bestellungen: 150 rows" in said.out
    assert "your settings do not fit: " in said.err
    assert "did you mean" in said.err


def test_an_encoding_is_guessed_aloud_or_that_of_the_settings(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "shop").mkdir()
    lines = "id;mesto\n1;Děčín\n2;Praha\n"
    (tmp_path / "shop" / "lide.csv").write_bytes(lines.encode("cp1250"))

    # No order is found: the guesses are shown all the same.
    assert run(["inspect", "--warehouse", "shop"]) == 3
    text = " ".join(capsys.readouterr().out.split())
    assert 'CSV files: separator ";", encoding cp1252' in text
    assert 'CHECK: encoding cp1252 is a guess: "Dìèín" should read right; else set another' in text

    assert run(["init", "--warehouse", "shop"]) == 3
    assert 'CHECK: encoding cp1252 is a guess: "Dìèín" should' in " ".join(capsys.readouterr().err.split())

    Path("segue.toml").write_text('[csv]\nencoding = "cp1250"\nseparator = ";"\n')
    run(["inspect", "--warehouse", "shop", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["csv"] == {"separator": ";", "encoding": "cp1250"}
    assert sorted(found["tables"][0]["columns"][1]["samples"]) == ["Děčín", "Praha"]
    assert found["notes"] == []


def test_files_without_the_letters_of_an_encoding_are_read_in_that_of_the_others(
    tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "miasta.csv").write_bytes("id,miasto\n1,Kraków\n2,Toruń i Gdynia\n".encode("cp1250"))
    (tmp_path / "shop" / "ludzie.csv").write_bytes("id,miasto\n1,Łódź\n".encode("cp1250"))

    run(["inspect", "--warehouse", "shop", "--json"])

    found = json.loads(capsys.readouterr().out)
    assert found["csv"]["encoding"] == "cp1250"
    assert [table["name"] for table in found["tables"]] == ["ludzie", "miasta"]
    assert found["tables"][0]["columns"][1]["samples"] == ["Łódź"]


def test_without_orders_the_tables_are_shown(tmp_path: Path, capsys: Capture) -> None:
    exports.write_table(tmp_path / "shop" / "users.csv", "id,age", [(1, 20), (2, 30)])

    assert run(["inspect", "--warehouse", "shop", "--json"]) == 3

    said = capsys.readouterr()
    found = json.loads(said.out)
    assert found["settings"] is None
    assert found["error"].startswith("no table has an order's id, its user and its time")
    assert found["error"] in said.err


def test_a_view_that_fails_is_named_and_the_others_are_shown(tmp_path: Path, capsys: Capture) -> None:
    exports.duckdb_file(tmp_path / "shop.duckdb")
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
        connection.execute("create view broken as select cast(sex as int) as n from clients")
        connection.execute("create table gone (a int); create view stale as select a from gone")
        connection.execute("alter table gone rename a to b")

    assert run(["inspect", "--warehouse", "shop.duckdb", "--json"]) == 0, capsys.readouterr().err

    found = json.loads(capsys.readouterr().out)
    assert [table["name"] for table in found["tables"]] == ["clients", "gone", "purchases"]
    broken, stale = found["notes"]
    assert broken.startswith("broken: not read: Conversion Error: Could not convert string 'f' to INT32")
    assert stale.startswith("stale: not read: Binder Error: ")


def test_without_a_table_that_can_be_read_the_reason_is_said(capsys: Capture) -> None:
    with duckdb.connect("shop.duckdb") as connection:
        connection.execute("create view broken as select cast('x' as int) as n")

    assert run(["inspect", "--warehouse", "shop.duckdb"]) == 3
    assert "has no table that can be read (broken: not read: Conversion Error" in capsys.readouterr().err


def test_other_addresses_are_refused(capsys: Capture) -> None:
    assert run(["inspect", "--warehouse", "snowflake://me@account/db/public"]) == 2
    assert "the tables of a snowflake:// warehouse cannot be looked at" in capsys.readouterr().err
