"""Every command, option, setting and exit code is documented as it is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from schemas import errors
from schemas.features import FEATURE_NAMES
from segue.cli.command import Command
from segue.cli.commands import COMMANDS
from segue.cli.main import run
from segue.config.settings import Settings

ROOT = Path(__file__).parents[2]
COMMANDS_PAGE = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
SETTINGS_PAGE = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
EXAMPLE = (ROOT / "segue.example.toml").read_text(encoding="utf-8")


def section(name: str) -> str:
    return COMMANDS_PAGE.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_and_each_of_its_options_is_documented(
    command: Command, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    told = section(command.name)
    assert f"segue {command.name}" in told

    run([*command.name.split(), "--help"])
    shown = re.findall(r"^│ +(?:\* +)?(--[a-z-]+)", capsys.readouterr().out, re.MULTILINE)
    settings = {f"--{name.replace('_', '-')}" for name in Settings.model_fields}
    shared = {"--help", "--config", "--allow-kafka-option", "--debug"}
    own = [option for option in shown if option not in settings | shared]
    assert [option for option in own if f"`{option}" not in told] == []
    documented = set(re.findall(r"`(--[a-z-]+)", told))
    assert documented - settings <= {*own, "--config"}


def test_no_command_is_documented_that_is_not_there() -> None:
    assert re.findall(r"^## ([\w -]+)$", COMMANDS_PAGE, re.MULTILINE) == [
        command.name for command in COMMANDS
    ]


def test_every_setting_stands_in_the_table_with_its_default_and_its_sentence() -> None:
    rows = []
    for name, field in Settings.model_fields.items():
        default = field.get_default()
        shown = ", ".join(default) if isinstance(default, tuple) else default
        shown = str(shown).lower() if isinstance(shown, bool) else shown
        cell = "" if default in (None, "", (), {}) else f"`{shown}`"
        rows.append(f"| `{name}` | {cell} | {field.description} |")

    assert re.findall(r"^\| `.*$", SETTINGS_PAGE, re.MULTILINE) == rows


TABLES = ("kafka_options", "events", "join", "schema_registry_options", "declare", "tables", "columns", "csv")


def test_the_example_has_every_setting_with_its_default() -> None:
    values = tomllib.loads(EXAMPLE)

    assert values.pop("columns") == {"users": {}}  # a table of nothing, to show where it stands
    assert Settings.model_validate(values) == Settings.model_validate({})
    assert values["features"] == list(FEATURE_NAMES)
    above_the_tables = EXAMPLE.partition("\n[")[0]
    named = set(re.findall(r"^#? ?([a-z_]+) = ", above_the_tables, re.MULTILINE))
    assert named | set(TABLES) == set(Settings.model_fields)


def test_every_exit_code_of_an_error_is_documented() -> None:
    codes = {
        kind.exit_code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.SegueError)
    }
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", COMMANDS_PAGE, re.MULTILINE)}

    assert codes <= documented
