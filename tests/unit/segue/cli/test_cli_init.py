"""`segue init` on the exports of strangers: the file that it writes is one that `segue train` can use."""

import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from segue.cli.main import run
from tests.support.inputs import made_up_exports as exports

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)


def proposed(shop: str | Path, capsys: Capture) -> tuple[dict[str, Any], str]:
    """The settings that init writes for a warehouse, and what it says."""
    code = run(["init", "--warehouse", str(shop)])
    said = capsys.readouterr()
    assert code == 0, said.err
    assert said.out == "segue.toml\n"
    return tomllib.loads(Path("segue.toml").read_text(encoding="utf-8")), said.err


def refused(shop: Path, capsys: Capture) -> str:
    """The sentence with which init ends; it has written nothing."""
    assert run(["init", "--warehouse", str(shop)]) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert not Path("segue.toml").exists()
    (line,) = said.err.splitlines()
    return line


def notes(said: str) -> list[str]:
    return sorted(line for line in said.splitlines() if "left out: " in line)


SHAPES: dict[str, Callable[[Path], None]] = {
    "flat_lines": exports.flat_lines,
    "electronics": exports.electronics,
    "sprocket": exports.sprocket,
    "german": exports.german,
    "shop.duckdb": exports.duckdb_file,
}


@pytest.mark.parametrize(
    "shape", [pytest.param("electronics", marks=pytest.mark.wide), "german", "shop.duckdb"]
)
def test_train_takes_what_init_writes_and_leaves_out_what_init_says(
    shape: str, tmp_path: Path, capsys: Capture
) -> None:
    shop = tmp_path / shape
    SHAPES[shape](shop)
    _, said = proposed(shop, capsys)

    command = ["train", "--warehouse", str(shop), "--current", "none", "--no-compare", "--k", "3"]
    assert run(command) == 0, capsys.readouterr().err

    trained = capsys.readouterr()
    assert notes(trained.err) == notes(said)
    report = json.loads((Path(trained.out.splitlines()[-1]) / "report.json").read_bytes())
    head = Path("segue.toml").read_text(encoding="utf-8").partition("\nfeatures")[0].replace("\n#  ", "")
    counted = {
        (table, why): int(rows)
        for rows, table, why in re.findall(r"^# Left out: (\d+) rows? of (\w+): (.*)\.$", head, re.MULTILINE)
    }
    assert counted == {(one["table"], one["reason"]): one["rows"] for one in report["rejected"]}
    trainable = int(re.search(r"(\d+) of \d+ users with an order have", head)[1])  # type: ignore[index]
    assert f"fitting {trainable} of " in trained.err


@pytest.mark.parametrize("shape", ["flat_lines", "sprocket"])
def test_the_offered_preset_in_place_of_features_trains(shape: str, tmp_path: Path, capsys: Capture) -> None:
    SHAPES[shape](tmp_path / "shop")
    proposed(tmp_path / "shop", capsys)
    file = Path("segue.toml")
    text = file.read_text(encoding="utf-8")
    assert '\n# preset = "rfm"\n' in text
    assert "in place of features and of the section [declare]" in " ".join(re.findall(r"[^\s#]+", text))
    without = re.sub(r"(?ms)^\[declare\]$.*?(?=^\[)", "", text)
    file.write_text(re.sub(r"(?ms)^features = \[.*?\]$", 'preset = "rfm"', without), encoding="utf-8")

    command = [
        "train",
        "--warehouse",
        str(tmp_path / "shop"),
        "--current",
        "none",
        "--no-compare",
        "--k",
        "3",
    ]
    assert run(command) == 0, capsys.readouterr().err
    model = json.loads((Path(capsys.readouterr().out.splitlines()[-1]) / "model.json").read_bytes())
    assert [feature["name"] for feature in model["features"]] == ["recency", "frequency", "monetary"]


def test_flat_lines(tmp_path: Path, capsys: Capture) -> None:
    exports.flat_lines(tmp_path / "shop")
    settings, _ = proposed(tmp_path / "shop", capsys)

    assert settings["features"] == ["country", "total_orders", "total_spend"]
    assert settings["whole_ids"] is True
    for query in settings["tables"].values():
        assert "-- leaves out 24 lines without a user" in query
        assert "-- leaves out 12 lines of cancelled orders (InvoiceNo begins with C)" in query
        assert "-- leaves out 6 lines of no pieces or less (Quantity is not above 0)" in query


def test_electronics(tmp_path: Path, capsys: Capture) -> None:
    exports.electronics(tmp_path / "shop")
    settings, _ = proposed(tmp_path / "shop", capsys)

    assert settings["csv"] == {"encoding": "cp1252"}
    assert settings["features"][:3] == ["gender", "country", "age"]
    assert "try_strptime(\"Order Date\", '%m/%d/%Y')" in settings["tables"]["orders"]
    assert 'union all select * from "sales 2020"' in settings["tables"]["orders"]
    assert "left join products as b on a.ProductKey = b.ProductKey" in settings["tables"]["order_items"]


def test_sprocket(tmp_path: Path, capsys: Capture) -> None:
    exports.sprocket(tmp_path / "shop")
    settings, said = proposed(tmp_path / "shop", capsys)
    text = Path("segue.toml").read_text(encoding="utf-8")

    assert settings["csv"] == {"separator": ";", "decimal": ",", "dates": ["%d.%m.%Y %H:%M"]}
    assert {"wealth_segment", "owns_car", "tenure", "state"} <= set(settings["features"])
    assert "when a.gender in ('F', 'Femal', 'Female') then 'F'" in settings["tables"]["users"]
    assert '# exclude_statuses = ["Cancelled"]' in text
    assert "# Orders of every status (order_status) count." in text
    assert "#   customers: first_name: a person's name" in text
    assert "#   addresses: address, postcode: an address or a place of a person" in text
    # One price is a word; its row is named.
    assert 'for example "gratis" (transactions.csv, line 18)' in said


def test_german(tmp_path: Path, capsys: Capture) -> None:
    exports.german(tmp_path / "shop")
    settings, _ = proposed(tmp_path / "shop", capsys)

    assert settings["csv"]["encoding"] == "cp1252"
    assert settings["columns"]["orders"] == {
        "order_id": "Bestellnummer",
        "user_id": "Kundennummer",
        "created_at": "Bestelldatum",
    }
    assert {"gender", "age", "country", "most_frequent_category", "most_frequent_brand"} <= set(
        settings["features"]
    )


def test_where_names_say_nothing_contents_are_guessed_aloud(tmp_path: Path, capsys: Capture) -> None:
    exports.nameless(tmp_path / "shop")
    settings, said = proposed(tmp_path / "shop", capsys)

    assert settings["columns"] == {
        "users": {"user_id": "c_0", "age": "c_1", "created_at": "c_2"},
        "orders": {"order_id": "c_0", "user_id": "c_1", "created_at": "c_2"},
    }
    assert (settings["tables"]["users"], settings["tables"]["orders"]) == ("t1", "t2")
    assert (
        "a.c_3 as quantity,\n  a.c_4 as price\nfrom t3 as a\nleft join t4"
        in settings["tables"]["order_items"]
    )
    assert settings["features"] == ["age", "c_3", "total_orders", "total_spend", "most_frequent_c_1"]
    guess = (
        "t2.c_1 is taken for the order's user by its values alone: its values repeat here and are unique in"
        ' t1.c_0, such as "0", "1", "2"; correct it where that is wrong'
    )
    assert f"Note: {guess}" in said.splitlines()
    text = " ".join(re.findall(r"[^\s#]+", Path("segue.toml").read_text(encoding="utf-8")))
    assert f"CHECK: {guess}" in text
    # Each column that is read, but those of the join, whose names say as little.
    assert text.count("CHECK: ") == said.count("by its values alone") == 11
    command = [
        "train",
        "--warehouse",
        str(tmp_path / "shop"),
        "--current",
        "none",
        "--no-compare",
        "--k",
        "3",
    ]
    assert run(command) == 0, capsys.readouterr().err


def test_a_file_is_never_overwritten(tmp_path: Path, capsys: Capture) -> None:
    exports.flat_lines(tmp_path / "shop")
    Path("mine.toml").write_text("# mine\n", encoding="utf-8")

    assert run(["init", "--warehouse", str(tmp_path / "shop"), "--out", "mine.toml"]) == 2

    assert (
        "mine.toml': this file exists and stays as it is: name another one by --out"
        in capsys.readouterr().err
    )
    assert Path("mine.toml").read_text(encoding="utf-8") == "# mine\n"


def test_another_name_is_in_the_next_command(tmp_path: Path, capsys: Capture) -> None:
    exports.flat_lines(tmp_path / "shop")

    assert run(["init", "--warehouse", str(tmp_path / "shop"), "--out", "shop.toml"]) == 0

    assert f"segue train --warehouse {tmp_path / 'shop'} --config shop.toml" in capsys.readouterr().err


def test_day_and_month_are_never_guessed_in_silence(tmp_path: Path, capsys: Capture) -> None:
    rows = [(n, n % 9, f"{1 + n % 12}/{1 + n % 11}/2020", n) for n in range(60)]
    exports.write_table(tmp_path / "shop" / "orders.csv", "id,customer_id,date,total", rows)

    settings, said = proposed(tmp_path / "shop", capsys)

    assert settings["csv"]["dates"] == ["%m/%d/%Y"]
    assert "date: no value says whether the day or the month stands first" in said
    assert "# CHECK: date: no value says" in Path("segue.toml").read_text(encoding="utf-8")


def test_one_value_above_12_decides(tmp_path: Path, capsys: Capture) -> None:
    rows = [(n, n % 9, f"{13 if n == 59 else 1 + n % 12}/{1 + n % 11}/2020", n) for n in range(60)]
    exports.write_table(tmp_path / "shop" / "orders.csv", "id,customer_id,date,total", rows)

    settings, said = proposed(tmp_path / "shop", capsys)

    assert settings["csv"]["dates"] == ["%d/%m/%Y"]
    assert "no value says" not in said


@pytest.mark.parametrize(
    ("header", "lacks"),
    [
        ("order_id,user_id,order_dow,total", "no column that looks like its time"),
        ("order_id,date_of_order,n,total", "no column that looks like its user"),
    ],
)
def test_without_a_user_or_a_time_nothing_is_written(
    header: str, lacks: str, tmp_path: Path, capsys: Capture
) -> None:
    rows = [(n, f"2020-01-{1 + n % 28:02}" if "date" in header else n % 9, n % 7, n) for n in range(60)]
    exports.write_table(tmp_path / "shop" / "orders.csv", header, rows)

    said = refused(tmp_path / "shop", capsys)
    assert lacks in said
    assert f"the columns are those of orders ({header.replace(',', ', ')}); name the table" in said


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "orders.csv is empty: its first line must have the column names"),
        ("order_id,user_id,created_at\n", "no table has rows"),
        ("order_id,user_id,created_at\n1,2,2020-01-01\n", "no column can be a feature"),
        (
            "order_id,user_id,created_at\n1,2,2020-01-01\n1,2\n",
            "line 3, has 2 fields and line 1 names 3 columns",
        ),
        ("PK\x03\x04", "is not CSV, but a ZIP or Excel file"),
    ],
)
def test_a_file_that_is_nothing(text: str, why: str, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "orders.csv").write_text(text, encoding="utf-8")

    assert why in refused(tmp_path / "shop", capsys)


def test_a_file_that_is_not_read_is_named_where_it_is_missed(tmp_path: Path, capsys: Capture) -> None:
    exports.write_table(tmp_path / "shop" / "clients.csv", "client_id,age", [(1, 20), (2, 30)])
    exports.write_table(tmp_path / "shop" / "sales.csv", "invoice,client_id,date,sum,sum", [(1, 1, 2, 3, 4)])

    assert run(["init", "--warehouse", str(tmp_path / "shop")]) == 3
    note, error = capsys.readouterr().err.splitlines()
    assert note.startswith("Note: not read: ")
    assert "has column sum more than once" in note
    assert error.startswith("Error: no table has an order's id")


def test_no_row_can_be_read(tmp_path: Path, capsys: Capture) -> None:
    rows = [(n, n % 9, f"2020-01-{1 + n % 28:02}", n) for n in range(30)]
    shop = tmp_path / "shop"
    exports.write_table(shop / "orders.csv", "id,customer_id,date,total", rows)
    exports.write_table(
        shop / "order_items.csv", "order_id,price,qty", [(n, "1.5", "0.25") for n in range(30)]
    )

    assert "no user could be trained on" in refused(shop, capsys)


def test_hostile_names(tmp_path: Path, capsys: Capture) -> None:
    names = [
        "order id",
        "user id",
        'x"; drop table t',
        "created at",
        "esc\x1b[31m",
        "new\nline",
        "ünï {x} %s",
        "price",
    ]
    shop = tmp_path / "shop"
    rows = [
        (
            n,
            n % 15,
            "ab"[n % 2],
            f"2020-01-{1 + n % 28:02}",
            "cd"[n % 15 % 2],
            "ef"[n // 3 % 2],
            "gh"[n % 15 % 3 % 2],
            n,
        )
        for n in range(60)
    ]
    exports.write_table(shop / 'or"d;ers --x.csv', "|".join(names), rows, separator="|")

    settings, said = proposed(shop, capsys)

    assert settings["columns"]["order_items"]["x_drop_table_t"] == 'x"; drop table t'
    assert 'min("esc\x1b[31m") as esc_31m' in settings["tables"]["users"]
    text = Path("segue.toml").read_text(encoding="utf-8")
    assert "\x1b" not in text + said
    assert run(["train", "--warehouse", str(shop), "--current", "none", "--no-compare", "--k", "3"]) == 0


def test_names_that_are_words_of_sql(tmp_path: Path, capsys: Capture) -> None:
    rows = [
        (n // 2, n % 22 // 2, f"1/{1 + n % 28}/2020", "ab"[n % 22 // 2 % 2], n % 3 + 1) for n in range(120)
    ]
    exports.write_table(tmp_path / "shop" / "select.csv", "order,user,date,group,price", rows)

    settings, _ = proposed(tmp_path / "shop", capsys)

    assert 'from "select"' in settings["tables"]["orders"]
    assert '"order" as order_id' in settings["tables"]["orders"]


def test_a_hundred_columns(tmp_path: Path, capsys: Capture) -> None:
    rows = [
        (n, n % 15, f"2020-02-{1 + n % 28:02}", *((n % 15 + k) % 7 for k in range(100))) for n in range(60)
    ]
    header = "order_id,customer_id,date," + ",".join(f"c{k}" for k in range(100))
    exports.write_table(tmp_path / "shop" / "orders.csv", header, rows)

    settings, _ = proposed(tmp_path / "shop", capsys)

    assert len(settings["features"]) <= 12


def test_files_in_another_form_are_named(tmp_path: Path, capsys: Capture) -> None:
    shop = tmp_path / "shop"
    exports.flat_lines(shop)
    exports.write_table(shop / "users.csv", "id;age", [(n, 20 + n) for n in range(5)], separator=";")
    (shop / "more.xlsx").write_bytes(b"PK")

    _, said = proposed(shop, capsys)

    assert "not read: users.csv has the separator ';' and other files ','" in said
    assert "not read: more.xlsx: save it as CSV or Parquet" in said


def shop_of(tmp_path: Path, users: list[str], orders: list[str], columns: str, order_columns: str) -> Path:
    """A folder with these rows of users and orders."""
    (tmp_path / "users.csv").write_text("\n".join([columns, *users, ""]))
    (tmp_path / "orders.csv").write_text("\n".join([order_columns, *orders, ""]))
    return tmp_path


def test_a_word_that_is_a_value_elsewhere_stays_one(tmp_path: Path, capsys: Capture) -> None:
    users = [f"{n},{('DE', 'FR', 'NA')[n % 3]},{'NA' if n == 5 else 20 + n % 40}" for n in range(90)]
    orders = [f"{n}-{i},{n},2024-01-{1 + i:02}" for n in range(90) for i in range(1 + n % 4)]
    folder = shop_of(tmp_path, users, orders, "user_id,country,age", "order_id,user_id,created_at")
    settings, _ = proposed(folder, capsys)
    assert "nulls" not in settings.get("csv", {})
    assert "CHECK: NA means nothing in one column" in Path("segue.toml").read_text()


def test_one_order_each_is_no_reason_to_leave_a_field_out(tmp_path: Path, capsys: Capture) -> None:
    orders = [f"{n},{n},2024-01-{1 + n % 28:02},{('DE', 'FR', 'AT')[n % 3]},{n}" for n in range(90)]
    (tmp_path / "orders.csv").write_text(
        "\n".join(["order_id,user_id,created_at,country,price", *orders, ""])
    )
    settings, _ = proposed(tmp_path, capsys)
    assert "country" in settings["features"]


def test_a_file_in_another_form_than_the_setting_is_read_by_a_query(tmp_path: Path, capsys: Capture) -> None:
    users = [f"{n};{n % 9},{n % 10}" for n in range(90)]
    orders = [f"{n};{n};2024-01-{1 + n % 28:02};{n + 100}.{n + 200}" for n in range(90)]
    folder = shop_of(tmp_path, users, orders, "user_id;tenure", "order_id;user_id;created_at;total")
    settings, said = proposed(folder, capsys)
    assert settings["csv"] == {"separator": ";", "decimal": ","}
    assert settings["tables"]["orders"].startswith("select")
    assert "These settings read 90 users, 90 orders" in said
    assert "left out" not in said
    assert "CHECK: total: no value says whether the point" in Path("segue.toml").read_text(encoding="utf-8")


def test_columns_of_orders_are_named_and_a_status_in_another_language(
    tmp_path: Path, capsys: Capture
) -> None:
    states = ["bezahlt", "storniert", "zurück"]
    orders = [f"{n},{n % 5},2020-01-{1 + n % 28:02},{n}.5,{states[n % 3]},a{n}" for n in range(90)]
    shop = shop_of(
        tmp_path,
        [f"{n},{'ab'[n % 2]}" for n in range(5)],
        orders,
        "customer_id,plan",
        "order_id,customer_id,ordered_at,amount,Zustand,Vermerk",
    )
    proposed(shop, capsys)
    said = " ".join(Path("segue.toml").read_text(encoding="utf-8").replace("#", " ").split())
    assert "Zustand has few texts (bezahlt, storniert, zurück). If it is the status of an order" in said
    assert "orders: Zustand: nothing reads it" in said
    assert "orders: Vermerk: it has 90 different texts" in said


def test_the_total_of_an_order_on_each_of_its_lines_counts_once(tmp_path: Path, capsys: Capture) -> None:
    lines = [(n // 3, n // 9, f"2024-01-{1 + n // 3 % 28:02}", "ab"[n % 2], n // 3 + 0.5) for n in range(90)]
    exports.write_table(tmp_path / "shop" / "orders.csv", "order_id,customer_id,day,category,total", lines)

    settings, _ = proposed("shop", capsys)

    assert settings["declare"]["total_spend"] == {"kind": "sum", "source": "order.total"}
    assert "min(total) as total" in settings["tables"]["orders"]
    text = " ".join(Path("segue.toml").read_text(encoding="utf-8").replace("#", " ").split())
    assert (
        "order_items must have one row for each order, with order_id as order_id and total as price" in text
    )
    assert "total is the same in all lines of an order, so it counts once." in text


def test_statuses_of_orders_that_were_not_sold_are_offered(tmp_path: Path, capsys: Capture) -> None:
    words = ("wc-completed", "wc-cancelled", "zwrot", "Void")
    orders = [(n, n % 7, f"2024-01-{1 + n % 28:02}", n + 0.5, words[n % 4]) for n in range(90)]
    exports.write_table(tmp_path / "shop" / "orders.csv", "order_id,customer_id,day,total,status", orders)

    proposed("shop", capsys)

    text = Path("segue.toml").read_text(encoding="utf-8")
    (offered,) = [line for line in text.splitlines() if line.startswith("# exclude_statuses = ")]
    assert sorted(re.findall('"(.*?)"', offered)) == ["Void", "wc-cancelled", "zwrot"]


def test_lines_of_one_usual_price_are_no_totals_of_orders(tmp_path: Path, capsys: Capture) -> None:
    users = [(n // 3) % 4 if n < 60 else 0 for n in range(90)]
    lines = [(n // 3, users[n], f"2024-01-{1 + n // 3 % 28:02}", "ab"[n % 2], 9.5) for n in range(90)]
    exports.write_table(tmp_path / "shop" / "orders.csv", "order_id,customer_id,day,category,total", lines)

    settings, _ = proposed("shop", capsys)

    assert settings["declare"]["total_spend"] == {"kind": "sum", "source": "order_value"}
