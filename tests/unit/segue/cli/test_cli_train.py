"""`segue train` on good tables, and on tables that cannot be trained on: one sentence and exit code 3."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from segue.cli.main import run
from tests.support.inputs.shops import Shop, write_csv
from tests.support.servers.rights import without_rights

Capture = pytest.CaptureFixture[str]

COUNTRIES = ("Brasil", "China", "Spain")
SOURCES = ("Search", "Email")


def shop(users: int, **same: str | None) -> Shop:
    """Users who differ in everything, but for what is given; each with one to four orders."""
    made = Shop()
    for number in range(users):
        profile: dict[str, Any] = {
            "age": str(18 + number % 50),
            "gender": "FM"[number % 2],
            "country": COUNTRIES[number % 3],
            "traffic_source": SOURCES[number % 2],
        }
        made.user(f"u{number}", **{**profile, **same})
        for order in range(1 + number % 4):
            made.order(f"o{number}-{order}", f"u{number}", [f"Brand {number % 5}/Category {number % 7}"])
    return made


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)


def test_the_last_line_is_the_release_s_path(tmp_path: Path, capsys: Capture) -> None:
    tables = write_csv(shop(60).user("u999", age="200"), tmp_path / "tables")

    assert run(["train", "--current", "none", "--warehouse", str(tables), "--k", "3", "--out", "here"]) == 0

    shown = capsys.readouterr()
    path = Path(shown.out.splitlines()[-1])
    assert path.parent == Path("here")
    assert (path / "report.html").is_file()
    assert "60 of 60 users" in shown.err
    assert "Note: left out: 1 row of users: age" in shown.err


DECLARED = """
features = ["orders", "spend", "days_between"]
currency = "$"
[declare]
orders = { kind = "count", source = "order_id", quantile = 5 }
spend = { kind = "sum", source = "order_value", log = true }
days_between = { kind = "interval" }
"""


def test_an_interval_a_logarithm_and_groups(tmp_path: Path, capsys: Capture) -> None:
    made = Shop()
    for number in range(60):
        made.user(f"u{number}")
        # 2 to 6 orders, every 1 to 4 days.
        for order in range(2 + number % 5):
            at = f"2024-01-{1 + order * (1 + number % 4):02}"
            made.order(f"o{number}-{order}", f"u{number}", [{"sale_price": str(number**2)}], at)
    made.user("once").order("o", "once", [{"sale_price": "7"}], "2024-01-01")
    made.user("back").order("b1", "back", [{"sale_price": "7"}], "2024-01-01")
    made.order("b2", "back", [{"sale_price": "-8"}], "2024-01-02")
    Path("segue.toml").write_text(DECLARED, encoding="utf-8")
    tables = write_csv(made, tmp_path / "tables")

    options = ["--current", "none", "--warehouse", str(tables), "--k", "3", "--no-compare"]
    assert run(["train", *options]) == 0

    shown = capsys.readouterr()
    assert "2 of 62 users were not trained on: 1 without spend, 1 without days_between" in shown.err
    folder = Path(shown.out.splitlines()[-1])
    release = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    orders, spend, days = release["features"]
    # 12 users each with 2 to 6 orders; the largest number is no border.
    assert (orders["encoding"], orders["quantile"], orders["borders"]) == ("quantile", 5, [2, 3, 4, 5])
    assert (spend["encoding"], days["encoding"]) == ("log", "number")
    assert {"quantile", "borders"}.isdisjoint({*spend, *days})
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["groups"] == {"orders": [2, 3, 4, 5]}
    # The report keeps the numbers themselves: days, money, orders.
    # Between the 15th user (1 day) and the 16th (2 days) three quarters of the way, and so on.
    assert report["numbers"]["days_between"] == {"low": 1.75, "median": 2.5, "high": 3.25}
    page = (folder / "report.html").read_text(encoding="utf-8")
    median = report["segments"][0]["numbers"]["orders"]["median"]
    assert median in (2, 3, 4, 5, 6)
    assert f"<small>group {median - 1:.0f} of 5: " in page
    assert run(["train", *options[2:], "--current", str(folder)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith(release["version"])

    Path("segue.toml").write_text(DECLARED.replace("quantile = 5", "quantile = 2"), encoding="utf-8")
    assert run(["train", *options[2:], "--current", str(folder)]) == 2
    told = capsys.readouterr().err
    assert (
        "the encoding of orders is quantile = 5 there and quantile = 2 here; declare these features" in told
    )


def test_who_is_not_trained_on_is_told_and_fewer_than_half_is_warned_of(
    tmp_path: Path, capsys: Capture
) -> None:
    made = shop(60)
    for number in range(40):
        made.users[number]["gender"] = None
    for number in range(10):
        made.users[number]["country"] = None
    tables = write_csv(made, tmp_path / "tables")

    assert run(["train", "--current", "none", "--warehouse", str(tables), "--k", "2", "--no-compare"]) == 0

    told = capsys.readouterr().err
    assert (
        "Note: 40 of 60 users were not trained on: 40 without gender, 10 without country (a user may "
        "have several reasons)" in told
    )
    assert "Note: fewer than half of the users were trained on, 33.3%" in told


def test_json_tells_the_release(tmp_path: Path, capsys: Capture) -> None:
    tables = write_csv(shop(60), tmp_path / "tables")

    assert run(["train", "--current", "none", "--warehouse", str(tables), "--k", "3", "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert told["path"] == f"releases/{told['version']}"
    assert [segment["id"] for segment in told["segments"]] == [0, 1, 2]
    assert sum(segment["size"] for segment in told["segments"]) == told["users_used"] == 60


def test_a_window_is_told_and_kept(tmp_path: Path, capsys: Capture) -> None:
    made = shop(60)
    for number in range(30):
        made.order(f"late{number}", f"u{number}", created_at="2024-03-01 00:00:00")
    tables = write_csv(made, tmp_path / "tables")

    command = ["train", "--warehouse", str(tables), "--current", "none", "--k", "3"]
    assert run([*command, "--from", "2024-02-01", "--to", "2024-04-01"]) == 0

    shown = capsys.readouterr()
    assert "30 of 30 users, as of 2024-04-01, who ordered from 2024-02-01 to 2024-04-01\n" in shown.err
    release = json.loads((Path(shown.out.splitlines()[-1]) / "model.json").read_text())
    assert (release["training"]["from"], release["training"]["to"]) == (
        "2024-02-01T00:00:00Z",
        "2024-04-01T00:00:00Z",
    )
    assert run([*command, "--from", "2024-02-01", "--to", "2024-02-01"]) == 2
    assert "option --to is '2024-02-01': give a time after from" in capsys.readouterr().err


def test_a_release_that_was_made_before_keeps_its_report_and_says_so(tmp_path: Path, capsys: Capture) -> None:
    tables = write_csv(shop(60), tmp_path / "tables")
    command = ["train", "--warehouse", str(tables), "--current", "none", "--k", "3", "--out", "here"]
    already = "This release lay there already, and stays as it is"

    assert run([*command, "--no-compare"]) == 0
    first = capsys.readouterr()
    assert already not in first.err
    report = (Path(first.out.splitlines()[-1]) / "report.json").read_bytes()

    assert run(command) == 0
    again = capsys.readouterr()
    assert again.out == first.out
    assert already in again.err
    assert (Path(again.out.splitlines()[-1]) / "report.json").read_bytes() == report


def test_shop_and_currency_are_the_report_s_and_no_model_s(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = write_csv(shop(60), tmp_path / "tables")
    command = ["train", "--warehouse", str(tables), "--current", "none", "--k", "3", "--no-compare"]
    assert run([*command, "--out", "plain"]) == 0
    plain = Path(capsys.readouterr().out.splitlines()[-1])
    monkeypatch.setenv("SEGUE_SHOP", "Sprocket")
    assert run([*command, "--out", "named", "--currency", "EUR"]) == 0
    named = Path(capsys.readouterr().out.splitlines()[-1])

    assert named.name == plain.name  # the version: a new name is no new model for the workers
    assert "<h1><bdi>Sprocket</bdi>: customer segments</h1>" in (named / "report.html").read_text()
    told = json.loads((named / "report.json").read_bytes())
    assert told["shop"] == {"name": "Sprocket", "currency": "EUR"}
    assert json.loads((plain / "report.json").read_bytes())["shop"] == {"name": "", "currency": ""}

    assert run([*command, "--out", "plain"]) == 0
    assert "nor a new shop or currency. Another --out makes it again." in capsys.readouterr().err
    assert "Sprocket" not in (plain / "report.html").read_text()


def test_a_nightly_line_continues_the_preset_it_was_begun_with(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = write_csv(shop(60), tmp_path / "tables")
    nightly = ["train", "--warehouse", str(tables), "--out", "here", "--no-compare"]
    assert run([*nightly, "--current", "none", "--preset", "recommended", "--k", "3"]) == 0
    first = capsys.readouterr().out.splitlines()[-1]
    tables = write_csv(shop(80), tmp_path / "tables")

    assert run([*nightly, "--current", first]) == 0
    told = json.loads((Path(capsys.readouterr().out.splitlines()[-1]) / "report.json").read_text())
    assert told["settings"]["preset"] == "recommended"
    assert (told["k"], told["k_by"], told["impact"]["current"]) == (3, "release", Path(first).name)

    monkeypatch.setenv("SEGUE_PRESET", "article")
    assert run([*nightly, "--current", first]) == 2
    refused = capsys.readouterr().err.splitlines()[-1]
    assert "cannot be continued with preset article: the encoding of gender" in refused
    assert (
        "leave preset out to keep what the release has, or learn everything again with --refit-space"
        in refused
    )
    assert run([*nightly, "--current", first, "--refit-space"]) == 0
    monkeypatch.setenv("SEGUE_PRESET", "recommended")
    assert run([*nightly, "--current", first]) == 0


def test_what_changes_with_a_release_is_told(tmp_path: Path, capsys: Capture) -> None:
    """Segments that end or are new, values new to the kept space, and which k the figures name."""
    tables = write_csv(shop(60), tmp_path / "tables")
    nightly = ["train", "--warehouse", str(tables), "--no-compare", "--features", "age,country,total_orders"]
    assert run([*nightly, "--current", "none", "--k", "4"]) == 0
    first = capsys.readouterr().out.splitlines()[-1]
    made = shop(60)
    for number in range(7):
        made.users[number]["country"] = "Atlantis"
    write_csv(made, tmp_path / "tables")

    assert run([*nightly, "--current", first, "--k", "2"]) == 0

    told = capsys.readouterr().err
    assert (
        f"Note: left out: users with a value that release {Path(first).name}, whose space is kept, "
        "has never seen (country 7); --refit-space learns it"
    ) in told
    assert "Note: no segment of this release has the users of segment" in told
    assert "): they end, and their ids are never used again" in told
    assert "This release has 2, as --k says. --k N takes another number." in told


def test_another_shop_s_names_stand_in_the_settings(tmp_path: Path, capsys: Capture) -> None:
    tables = write_csv(shop(60), tmp_path / "tables")
    users = (tables / "users.csv").read_text().replace("id,age,", "no,years,", 1)
    (tables / "people.csv").write_text(users)
    remove(tables, "users")
    settings = '[tables]\nusers = "people"\n[columns.users]\nuser_id = "no"\nage = "{age}"\n'
    command = ["train", "--warehouse", str(tables), "--current", "none", "--k", "3", "--no-compare"]

    (tmp_path / "segue.toml").write_text(settings.format(age="years"))
    assert run(command) == 0
    assert "60 of 60 users" in capsys.readouterr().err

    (tmp_path / "segue.toml").write_text(settings.format(age="yaers"))
    assert run(command) == 2
    assert (
        "setting columns.users.age is 'yaers': table people (setting tables.users) of"
        in capsys.readouterr().err
    )


def test_csv_files_ids_and_inputs_are_read_as_the_settings_say(tmp_path: Path, capsys: Capture) -> None:
    made = shop(60, age="]45,55]")
    for rows, name in ((made.users, "id"), (made.orders, "user_id")):
        for row in rows:
            row[name] = f"{str(row[name])[1:]}.0"
    tables = write_csv(made, tmp_path / "tables")
    for path in tables.iterdir():
        with path.open(newline="") as file:
            lines = list(csv.reader(file))
        with path.open("w", newline="") as file:
            csv.writer(file, delimiter=";").writerows(lines)
    command = ["train", "--warehouse", str(tables), "--current", "none", "--k", "3", "--no-compare"]
    settings, told = tmp_path / "segue.toml", ""
    for setting, code, expected in (
        ("", 3, 'set separator = ";" under [csv] in segue.toml'),
        ('[csv]\nseparator = ";"\n', 3, "60 of 60 ids are whole numbers written as floats"),
        (
            "whole_ids = true\n",
            3,
            'can be trained on: left out are 60 rows of users: age is not a number, for example "]',
        ),
        ('features = ["country", "total_orders", "most_frequent_brand"]\n', 0, "60 of 60 users"),
    ):
        told = setting + told
        settings.write_text(told)
        assert run(command) == code
        assert expected in capsys.readouterr().err


def remove(folder: Path, name: str) -> None:
    (folder / f"{name}.csv").unlink()


@pytest.mark.parametrize(
    ("made", "spoil", "expected"),
    [
        (shop(60), lambda folder: remove(folder, "orders"), "orders"),
        (Shop(), None, "table users of"),
        (shop(1), None, "only 1 user can be trained on"),
        (shop(4), None, "only 4 users can be trained on, of 4 read, and 5 segments need at least 5"),
        (shop(60, country="Brasil"), None, "feature country is 'Brasil' for all 60 training users"),
        (shop(60, age=None), None, "feature age is null for all 60 users read"),
        (
            shop(60, age=None, gender=None),
            None,
            "features age and gender are null for all 60 users read",
        ),
    ],
    ids=["no table", "empty table", "one user", "fewer than k", "constant", "null", "all null"],
)
def test_what_cannot_be_trained_on_is_one_sentence(
    made: Shop, spoil: Any, expected: str, tmp_path: Path, capsys: Capture
) -> None:
    tables = write_csv(made, tmp_path / "tables")
    if spoil is not None:
        spoil(tables)

    assert run(["train", "--current", "none", "--warehouse", str(tables)]) == 3

    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("Error: ")
    assert expected in told
    assert not (tmp_path / "releases").exists()


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path: Path, capsys: Capture) -> None:
    tables = write_csv(shop(60), tmp_path / "tables", without={"users": ("gender",)})

    assert run(["train", "--current", "none", "--warehouse", str(tables)]) == 3

    told = capsys.readouterr().err
    assert "table users of" in told
    assert "has no column gender: it has id, age, country, traffic_source, created_at" in told


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--encoding", "hash"], "option --encoding is 'hash': use one of label, frequency, one-hot"),
        (["--scaling", "minmax"], "option --scaling is 'minmax': use one of standard, balanced, none"),
        (
            ["--preset", "best"],
            "setting preset (from option --preset) is 'best': use article, rfm or recommended",
        ),
        (
            ["--preset", "label"],
            "setting preset (from option --preset) is 'label': use article, the preset's name now",
        ),
        (["--k", "1"], "option --k is 1: use at least 2 segments"),
        (
            ["--features", "age,height"],
            "setting features (from option --features) is 'age,height': height is no feature",
        ),
        (["--components", "0"], "option --components is 0: use at least 1"),
    ],
)
def test_a_wrong_setting_is_one_sentence(
    arguments: list[str], expected: str, tmp_path: Path, capsys: Capture
) -> None:
    tables = write_csv(shop(10), tmp_path / "tables")

    assert run(["train", "--current", "none", "--warehouse", str(tables), *arguments]) == 2
    assert expected in capsys.readouterr().err


@pytest.mark.parametrize(
    ("module", "warehouse"),
    [("snowflake.connector", "snowflake://u@a/d/s?warehouse=w"), ("google.cloud.bigquery", "bigquery://p/d")],
)
def test_a_warehouse_whose_package_is_not_installed_has_the_exit_code_of_that(
    module: str, warehouse: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setitem(sys.modules, module, None)

    assert run(["train", "--current", "none", "--warehouse", warehouse]) == 10
    assert "which is not installed" in capsys.readouterr().err


def test_a_folder_of_releases_that_cannot_be_written_to_is_the_option_s(
    tmp_path: Path, capsys: Capture
) -> None:
    tables = write_csv(shop(10), tmp_path / "tables")
    (tmp_path / "out").mkdir()

    with without_rights(tmp_path / "out"):
        assert run(["train", "--current", "none", "--warehouse", str(tables), "--out", "out/below"]) == 2
    assert "option --out is 'out/below': nothing can be written there (Permission denied)" in (
        capsys.readouterr().err
    )


def test_a_release_to_continue_that_cannot_be_read_is_one_sentence(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "release").mkdir()

    with without_rights(tmp_path / "release"):
        assert run(["train", "--warehouse", "tables", "--current", "release"]) == 4
    assert "release/manifest.json cannot be read (Permission denied)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "warehouse", "code", "expected"),
    [
        ('[tables]\nusers = "usres"', "tables", 2, "did you mean users?"),
        (
            '[tables]\nusers = "select nothing from users"',
            "tables",
            2,
            "query of the setting tables.users fails",
        ),
        ('[tables]\nusers = "select * from nowhere"', "tables", 2, "query of the setting tables.users fails"),
        ('[columns.users]\nage = "yaers"', "tables", 2, "setting columns.users.age is 'yaers'"),
        ('exclude_statuses = ["Lost"]', "tables", 2, "has no column status"),
        ("", "tabels", 2, "warehouse tabels does not exist"),
        ("", "mysql://shop", 2, "a mysql:// warehouse cannot be read"),
        ("", "bigquery://shop", 2, "the BigQuery URL cannot be read"),
        ("", "tables/users.csv", 3, "is not a DuckDB file"),
    ],
)
def test_a_cause_in_the_settings_has_their_exit_code(
    settings: str, warehouse: str, code: int, expected: str, tmp_path: Path, capsys: Capture
) -> None:
    write_csv(shop(8), tmp_path / "tables", without={"orders": ("status",)})
    Path("segue.toml").write_text(settings, encoding="utf-8")

    assert run(["train", "--current", "none", "--warehouse", warehouse]) == code

    told = capsys.readouterr().err.splitlines()[-1]
    assert expected in told
