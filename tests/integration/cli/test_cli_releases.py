"""Releases that follow one another, by the commands, on a real Kafka."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from segue.cli.main import run
from segue.services import KafkaService
from tests.support.inputs.shops import Shop, write_csv

Capture = pytest.CaptureFixture[str]
Segue = Callable[..., int]


def shop(users: int) -> Shop:
    """Users who signed up one a day; every second one is older and buys more."""
    made = Shop()
    for number in range(users):
        often = number % 2
        made.user(
            f"u{number}",
            f"2024-{1 + number // 28:02}-{1 + number % 28:02} 00:00:00",
            age=str(20 + 30 * often + number % 9),
            gender="FM"[number % 3 % 2],
            country=("Brasil", "China", "Spain")[number % 3],
            traffic_source=("Search", "Email")[number // 2 % 2],
        )
        for order in range(1 + 3 * often + number % 2):
            made.order(
                f"o{number}-{order}",
                f"u{number}",
                [f"Brand {number % 5}/Category {number % 7}"],
                created_at=f"2024-{1 + number // 28:02}-{1 + number % 28:02} 01:00:00",
            )
    return made


@pytest.fixture
def segue(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kafka: KafkaService, topic_prefix: str) -> Segue:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("SEGUE_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "segue.toml").write_text(
        f'kafka = "{kafka.bootstrap}"\ntopic_prefix = "{topic_prefix}"\n', encoding="utf-8"
    )
    write_csv(shop(140), tmp_path / "tables")
    return lambda *arguments: run([str(argument) for argument in arguments])


def trained(segue: Segue, capsys: Capture, *options: str) -> tuple[Path, str]:
    """The release's folder, and the messages on stderr."""
    assert segue("train", "--warehouse", "tables", "--no-compare", "--k", "3", *options) == 0
    shown = capsys.readouterr()
    return Path(shown.out.splitlines()[-1]), shown.err


def listed(segue: Segue, capsys: Capture) -> list[dict[str, Any]]:
    assert segue("releases", "--json") == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_from_the_first_release_to_a_rollback(segue: Segue, capsys: Capture) -> None:
    assert segue("releases") == 0
    assert "no release was published on" in capsys.readouterr().err

    first, told = trained(segue, capsys, "--as-of", "2024-04-01")
    assert "so this is a first training" in told
    assert segue("publish", str(first)) == 0
    capsys.readouterr()
    (only,) = listed(segue, capsys)
    assert (only["version"], only["current"], only["activations"]) == (first.name, True, [1])
    assert only["created_at"] <= only["published_at"]
    assert [segment["id"] for segment in only["segments"]] == [0, 1, 2]

    second, told = trained(segue, capsys)
    assert f"Against release {first.name}, which is current" in told
    assert "moved by behaviour: 0 of" in told  # nobody's past has changed
    assert segue("publish", str(second), "--dry-run", "--json", "--max-moved", "1") == 0
    planned = json.loads(capsys.readouterr().out)
    assert (planned["version"], planned["activation"]) == (second.name, None)
    assert planned["impact"]["current"] == first.name
    assert len(listed(segue, capsys)) == 1
    assert segue("publish", str(second), "--max-moved", "1") == 0
    capsys.readouterr()
    newest, before = listed(segue, capsys)
    assert (newest["version"], newest["current"], newest["continues"]) == (second.name, True, first.name)
    assert (before["version"], before["current"]) == (first.name, False)
    assert newest["space"] == before["space"]

    again, told = trained(segue, capsys)
    assert again == second
    assert "Nothing has changed" in told
    activations = listed(segue, capsys)[0]["activations"]
    assert segue("publish", str(again)) == 0
    assert f"Release {again.name} is current already on " in capsys.readouterr().out
    assert listed(segue, capsys)[0]["activations"] == activations
    # Another place is news, once.
    assert segue("publish", str(again), "--to", "store") == 0
    assert "Published release" in capsys.readouterr().out
    assert segue("publish", str(again), "--to", "store") == 0
    assert "is current already" in capsys.readouterr().out
    assert segue("publish", str(first), "--dry-run", "--max-moved", "1") == 0
    assert (
        f"was published before, and {again.name} is current: this goes back to it" in capsys.readouterr().err
    )

    assert segue("rollback", "--json") == 0
    shown = capsys.readouterr()
    back = json.loads(shown.out.splitlines()[-1])
    assert (back["version"], back["impact"]["current"]) == (first.name, second.name)
    assert [each["version"] for each in listed(segue, capsys)] == [first.name, second.name]
    assert segue("rollback", "nobody") == 4
    assert f"there is no release nobody: use one of {second.name}, {first.name}" in capsys.readouterr().err
    assert segue("rollback", second.name, "--exclude-statuses", "Returned") == 4
    assert "was trained with exclude_statuses []" in capsys.readouterr().err
    assert segue("rollback", second.name) == 0
    assert segue("releases") == 0
    table = capsys.readouterr().out.splitlines()[-2:]
    assert [row.split()[:3] for row in table] == [
        ["2", "current", second.name],
        ["1", first.name, table[1].split()[2]],
    ]


def test_a_release_that_moves_too_many_is_refused_without_force(segue: Segue, capsys: Capture) -> None:
    first, _ = trained(segue, capsys, "--as-of", "2024-04-01")
    assert segue("publish", str(first)) == 0
    # A fourth segment takes its users from the others.
    assert segue("train", "--warehouse", "tables", "--no-compare", "--k", "4", "--refit-space") == 0
    second = Path(capsys.readouterr().out.splitlines()[-1])

    for options in ((), ("--dry-run",)):
        assert segue("publish", str(second), *options) == 11
        told = capsys.readouterr().err
        assert f"Error: release {second.name} would move" in told
        assert "by the model" in told
    assert [each["version"] for each in listed(segue, capsys)] == [first.name]

    assert segue("publish", str(second), "--force") == 0
    capsys.readouterr()
    newest = listed(segue, capsys)[0]
    assert newest["version"] == second.name
    ids = [segment["id"] for segment in newest["segments"]]
    assert len(set(ids)) == 4
    assert max(ids) >= 3


def test_a_release_that_workers_would_refuse_is_not_made_current(segue: Segue, capsys: Capture) -> None:
    first, _ = trained(segue, capsys)
    other = ("--exclude-statuses", "Returned")
    assert segue("publish", str(first), "--force", *other) == 4
    assert "was trained with exclude_statuses [], but the setting is ['Returned']" in capsys.readouterr().err
    assert listed(segue, capsys) == []


def test_a_release_that_follows_another_one_than_the_current(segue: Segue, capsys: Capture) -> None:
    first, _ = trained(segue, capsys, "--as-of", "2024-04-01")
    stranger, _ = trained(segue, capsys, "--as-of", "2024-03-01")
    assert segue("publish", str(first)) == 0
    assert segue("publish", str(stranger), "--force") == 4
    told = capsys.readouterr().err
    assert f"release {stranger.name} was trained as a first release, but {first.name} is current" in told
    assert [each["version"] for each in listed(segue, capsys)] == [first.name]


@pytest.mark.wide
def test_the_nightly_line_goes_on_with_the_recommended_preset(segue: Segue, capsys: Capture) -> None:
    first, _ = trained(segue, capsys, "--preset", "recommended", "--as-of", "2024-04-01")
    assert segue("publish", str(first)) == 0
    capsys.readouterr()

    assert segue("train", "--warehouse", "tables", "--no-compare") == 0
    second = Path(capsys.readouterr().out.splitlines()[-1])
    assert segue("publish", str(second), "--max-moved", "1") == 0
    capsys.readouterr()
    newest, before = listed(segue, capsys)
    assert (newest["version"], newest["continues"], newest["space"]) == (
        second.name,
        first.name,
        before["space"],
    )

    assert segue("train", "--warehouse", "tables", "--preset", "article") == 2
    told = capsys.readouterr().err
    assert f"release {second.name} cannot be continued with preset article: the encoding of gender" in told
    assert (
        "leave preset out to keep what the release has, or learn everything again with --refit-space" in told
    )
