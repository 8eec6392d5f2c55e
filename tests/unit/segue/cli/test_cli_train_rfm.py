"""`segue train` with the preset `rfm`: one line of settings, recency by hand, and weeks that follow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from segue.cli.main import run
from tests.support.inputs.shops import Shop, write_csv

Capture = pytest.CaptureFixture[str]
RETAIL = Path(__file__).parents[4] / "examples" / "online-retail"
QUICK = ("--no-compare", "--k", "4")


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)


def a_shop() -> Shop:
    """Customers who differ in recency, frequency and money; three of them have dates to count by hand."""
    made = Shop()
    for number in range(60):
        for order in range(1 + number % 5):
            at = f"2024-{1 + number % 3:02}-{1 + 5 * order:02} 12:00:00"
            made.order(f"o{number}-{order}", f"u{number}", [{"sale_price": str(5 + number**2)}], at)
    made.order("a1", "ann", [{"sale_price": "9.50"}], "2024-02-28 10:00:00")
    made.order("a2", "ann", [{"sale_price": "3.25", "quantity": "2"}], "2024-03-20 18:29:59")
    made.order("b1", "bob", [{"sale_price": "7"}], "2024-03-20 18:30:00")
    made.order("c1", "cy", [{"sale_price": "7"}], "2024-03-01 00:00:00")
    made.order("c2", "cy", [{"sale_price": "7"}], "2024-03-31 00:00:00")
    return made


def trained(capsys: Capture, *options: str) -> tuple[dict[str, Any], dict[str, Any], Path]:
    assert run(["train", *options]) == 0, capsys.readouterr().err
    folder = Path(capsys.readouterr().out.splitlines()[-1])
    release, report = (
        json.loads((folder / name).read_text(encoding="utf-8")) for name in ("model.json", "report.json")
    )
    return release, report, folder


def test_one_line_of_settings_and_a_day(tmp_path: Path, capsys: Capture) -> None:
    Path("segue.toml").write_text('preset = "rfm"\ntime_zone = "Asia/Kolkata"\n', encoding="utf-8")
    tables = str(write_csv(a_shop(), tmp_path / "tables"))
    options = ("--warehouse", tables, "--as-of", "2024-03-31", *QUICK)

    release, report, folder = trained(capsys, "--current", "none", *options)

    assert [feature["name"] for feature in release["features"]] == ["recency", "frequency", "monetary"]
    assert {feature["encoding"] for feature in release["features"]} == {"log"}
    assert release["training"]["day"] == "2024-03-31"
    assert len(release["projection"]) == 2
    assert report["settings"]["preset"] == "rfm"
    rows = {row["user_id"]: row for row in pq.read_table(folder / "assignments.parquet").to_pylist()}
    # In Kolkata (UTC+5:30) a day begins at 18:30 UTC: Ann ordered on the 20th, Bob on the 21st.
    # The 31st began at 18:30 on the 30th, and the second order of Cy lies after that.
    assert [rows[name]["recency"] for name in ("ann", "bob", "cy")] == [11, 10, 30]
    assert (rows["ann"]["frequency"], rows["ann"]["monetary"]) == (2, 16)
    assert "DATE" in (folder / "features.sql").read_text(encoding="utf-8").upper()
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "Recency by segment" in page
    assert "as of 2024-03-31" in page


def test_two_weeks_without_a_fact_move_users_by_time_alone_also_with_a_window(
    tmp_path: Path, capsys: Capture
) -> None:
    """Nobody signs up and nobody orders; the window only loses orders."""
    Path("segue.toml").write_text(
        'features = ["recency", "recent"]\n[declare]\n'
        'recency = { kind = "days_since", source = "last_order" }\n'
        'recent = { kind = "count", source = "order_id", window = "75d" }\n',
        encoding="utf-8",
    )
    options = ("--warehouse", str(write_csv(a_shop(), tmp_path / "tables")), *QUICK)
    _, _, folder = trained(capsys, "--current", "none", "--as-of", "2024-04-01", *options)

    _, report, _ = trained(capsys, "--current", str(folder), "--as-of", "2024-04-15", *options)

    impact = report["impact"]
    assert impact["by_time"]["pairs"]
    assert impact["by_behaviour"]["users"] > 0
    assert impact["by_behaviour"]["pairs"] == []


def test_a_week_later_ids_and_names_stay_and_time_moves_users(capsys: Capture) -> None:
    text = (RETAIL / "segue.toml").read_text(encoding="utf-8").replace("features =", 'preset = "rfm" #')
    Path("segue.toml").write_text(text, encoding="utf-8")
    options = ("--warehouse", str(RETAIL), *QUICK)

    first, _, folder = trained(capsys, "--current", "none", "--as-of", "2011-07-04", *options)

    # Counted in the export: 12350 ordered once, on 2 February, 13090 eight times, lastly on 17 June, 14210
    # five times, lastly on 26 May. Orders after 4 July do not count.
    users = pq.read_table(folder / "assignments.parquet").to_pylist()
    rows = {row["user_id"]: (row["recency"], row["frequency"]) for row in users}
    assert [rows[name] for name in ("12350", "13090", "14210")] == [(152, 1), (17, 8), (39, 5)]

    second, report, _ = trained(capsys, "--current", str(folder), "--as-of", "2011-07-11", *options)

    named, later = (
        {segment["id"]: segment["name"] for segment in release["segments"]} for release in (first, second)
    )
    assert later == named
    assert second["training"]["day"] == "2011-07-11"
    by_time = report["impact"]["by_time"]
    assert by_time["users"] == len(users)
    # Days only pass: nobody comes to a segment of more recent orders.
    recency = {each["id"]: each["numbers"]["recency"]["median"] for each in report["segments"]}
    assert by_time["pairs"]
    assert all(recency[pair["previous"]] < recency[pair["segment"]] for pair in by_time["pairs"])
