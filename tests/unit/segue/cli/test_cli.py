"""The command: help, usage, and every kind of error as one sentence and an exit code."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

import pytest

from schemas.errors import BadSetting, BadTopics
from segue import interruption
from segue.cli import completion
from segue.cli.commands import COMMANDS
from segue.cli.main import run
from segue.config.settings import Settings
from tests.support.servers.rights import without_rights

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Wide, without colours, without a settings file or variables of the developer's own."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("SEGUE_CONFIG", raising=False)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"SEGUE_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)


def failing_tail(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Make `segue tail` meet this error."""

    def fail(*_: object, **__: object) -> NoReturn:
        raise error

    monkeypatch.setattr("segue.subscribe.change_feed.ChangeFeed", fail)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_has_help_with_an_example(command: object, capsys: Capture) -> None:
    name = getattr(command, "name", "")

    assert run([*name.split(), "--help"]) == 0

    shown = capsys.readouterr().out
    assert f"Usage: segue {name}" in shown
    assert f"Example: segue {name}" in shown
    assert "--config" in shown
    assert "--debug" in shown
    assert re.search(r"--help +-h +Show", shown)


@pytest.mark.parametrize("arguments", [["--show-completion", "zsh"], ["--show-completion=zsh"]])
def test_the_completion_is_of_the_shell_that_is_named(arguments: list[str], capsys: Capture) -> None:
    assert run(arguments) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("#compdef segue")
    assert shown.err == ""


@pytest.mark.parametrize("option", ["--show-completion", "--install-completion"])
@pytest.mark.parametrize(
    ("named", "runs", "told"),
    [
        (["tcl"], "bash", "option {} is 'tcl': use one of bash, zsh, fish, powershell, pwsh"),
        (["a\x1b", "b"], "bash", "option {} is 'a\\x1b b': use one of bash, "),
        ([], "tcsh", "there is no completion for the shell tcsh: name one after {}: bash, zsh, fish, "),
        ([], None, "no shell was found: name one after {}: bash, zsh, fish, powershell, pwsh"),
    ],
)
def test_a_shell_without_completion_is_refused(
    option: str,
    named: list[str],
    runs: str | None,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    monkeypatch.setattr(completion, "running_shell", lambda: runs)
    assert run([option, *named]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"Error: {told.format(option)}")
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize("group", [[], ["dead-letters"]])
def test_a_group_s_help_names_its_own_option_plainly(group: list[str], capsys: Capture) -> None:
    assert run([*group, "--help"]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"--help +-h +Show", shown)
    assert "<bool>" not in shown


def test_without_arguments_it_lists_the_commands(capsys: Capture) -> None:
    assert run([]) == 0

    shown = capsys.readouterr().out
    for command in COMMANDS:
        assert (command.group or command.name) in shown


def test_it_tells_its_version(capsys: Capture) -> None:
    assert run(["--version"]) == 0

    assert capsys.readouterr().out == f"segue {version('segue-live')}\n"


def test_every_command_that_ends_with_an_answer_can_give_it_as_json() -> None:
    without = {each.name for each in COMMANDS if "as_json" not in inspect.signature(each.function).parameters}
    until_stopped = {"demo", "up", "worker", "join", "flow", "sink", "console"}
    a_file, json_anyway = {"init"}, {"schema"}
    assert without == until_stopped | a_file | json_anyway


@pytest.mark.parametrize(
    ("typed", "completed"), [("segue triggers ch", "check"), ("segue publish --re", "--rehearse")]
)
def test_a_shell_completes_commands_and_options(typed: str, completed: str) -> None:
    words = {"COMP_WORDS": typed, "COMP_CWORD": "2"}
    assert shown_by(_SEGUE_COMPLETE="complete_bash", **words).split() == [completed]


def test_it_shows_what_a_shell_needs_for_that() -> None:
    assert "_SEGUE_COMPLETE=complete_bash" in shown_by("--show-completion", "bash")


def test_no_color_takes_the_colours_of_a_terminal_away() -> None:
    terminal = {"FORCE_COLOR": "1", "TERM": "xterm-256color"}
    coloured, plain = (shown_by("tial", **terminal, NO_COLOR=wish) for wish in ("", "1"))
    assert (coloured.split("Error")[0], plain.split("Error")[0]) == ("\x1b[1;31m", "\x1b[1m")


def shown_by(*arguments: str, **environment: str) -> str:
    """All that a process of its own prints."""
    done = subprocess.run(
        [sys.executable, "-m", "segue", *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["tial"], "No such command 'tial'. Did you mean 'tail'? See segue --help."),
        (["tail", "--fast"], "No such option: --fast"),
        (["tail", "--max", "x"], "Invalid value for '--max'"),
        (["train"], "Missing option '--warehouse'. See segue train --help."),
        (["tail", "--max", "0"], "option --max is 0: give at least 1"),
        (["tail", "--kind", "gone"], "option --kind is 'gone': give moved, confirmed, unconfirmed or erased"),
        (["tail", "--group", "segue"], "option --group is 'segue': this is the workers' group: name another"),
        (["tail", "--kafka", "here"], "setting kafka (from option --kafka) is 'here': give host:port"),
        (["ingest"], "name files of events, or --warehouse, and not both"),
        (["ingest", "a", "--warehouse", "b"], "name files of events, or --warehouse, and not both"),
        (
            ["ingest", "a", "--since", "2024-12-01"],
            "--since and --until go with --warehouse: files are sent whole",
        ),
        (["ingest", "a", "--rate", "0"], "option --rate is 0.0: give events a second, above 0"),
        (["ingest", "a", "--rate", "nan"], "option --rate is nan: give events a second, above 0"),
        (["ingest", "a", "--rate", "inf"], "option --rate is inf: give events a second, above 0"),
        (["demo", "--rate", "nan"], "option --rate is nan: give events a second, above 0"),
        (["forget", "7", "--wait", "nan"], "option --wait is nan: give seconds, above 0"),
        (
            ["bootstrap", "--warehouse", ".", "--as-of", "2024-01-01", "--margin", "99999999999d"],
            "option --margin is '99999999999d': use at most 999999d",
        ),
        (
            ["bootstrap", "--warehouse", ".", "--as-of", "2999-01-01"],
            "option --as-of is '2999-01-01': it lies ahead, and more facts may come before it: give",
        ),
        (
            ["bootstrap", "--warehouse", ".", "--as-of", "2024-01-01", "--margin", "999999d"],
            "option --margin is '999999d': it begins before 1970",
        ),
        (
            ["bootstrap", "--warehouse", ".", "--as-of", "1969-01-01"],
            "option --margin is '1h': it begins before 1970, counted back from 1969-01-01T00:00:00Z",
        ),
        (
            ["train", "--warehouse", "/none"],
            "warehouse /none does not exist: name a folder, a DuckDB file or a URL",
        ),
        (["user"], "name one user's id, or --all, and not both"),
        (["schema", "foo"], "Invalid value for '[EVENT]': 'foo' is not one of 'signup', 'order'"),
        (["train", "--warehouse", ".", "--k", "many"], "option --k is 'many': give a whole number"),
        (["train", "--warehouse", ".", "--k", "9" * 5000], "give a whole number of at least 2, or auto"),
        (["train", "--warehouse", ".", "--as-of", "soon"], "option --as-of is 'soon': it is not an RFC 3339"),
        (
            ["bootstrap", "--warehouse", ".", "--as-of", "2024-01-01", "--margin", "1"],
            "option --margin is '1'",
        ),
        (["predict", "--age", "200"], "option --age is '200': give a number from 0 to 150"),
        (["predict", "--age", "old"], "option --age is 'old': give a number from 0 to 150"),
        (["predict", "--age", "nan"], "option --age is 'nan': give a number from 0 to 150"),
        (["predict", "--total-orders", "-1"], "option --total-orders is '-1': give 0 or more"),
        (["predict", "--total-orders", "2.5"], "option --total-orders is '2.5': give a whole number"),
        (["publish", "a\0b"], "is 'a\\x00b': name a path or an address without a NUL character"),
        (
            ["user", "7", "--config", "a\0b"],
            "option --config is 'a\\x00b': name a path or an address without",
        ),
        (["demo", "--rate", "0"], "option --rate is 0.0: give events a second, above 0"),
        (["worker", "--session-timeout-ms", "3000"], "a third of session_timeout_ms (3000) at most"),
    ],
)
def test_wrong_usage_is_one_sentence(arguments: list[str], expected: str, capsys: Capture) -> None:
    code = run(arguments)

    shown = capsys.readouterr()
    assert code in (2, 3)
    assert shown.err.startswith("Error: ")
    assert expected in shown.err
    assert shown.err.count("\n") == 1
    assert shown.out == ""


def test_an_error_of_ours_is_its_sentence_and_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    failing_tail(monkeypatch, BadTopics("the topics [bold]differ[/bold]"))

    assert run(["tail"]) == BadTopics.exit_code
    assert capsys.readouterr().err == "Error: the topics [bold]differ[/bold]\n"


def test_an_unforeseen_error_is_a_sentence_and_a_traceback_only_when_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    failing_tail(monkeypatch, KeyError("x"))

    assert run(["tail"]) == 70
    assert capsys.readouterr().err == (
        "Error: unexpected KeyError: 'x'. This is a bug in Segue: run it again with --debug to see where.\n"
    )
    assert run(["tail", "--debug"]) == 70
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), RuntimeError("Query interrupted"), BadTopics("interrupted")], ids=repr
)
def test_after_ctrl_c_no_error_is_told_whatever_became_of_it(
    error: BaseException, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(interruption, "signal_came", lambda: True)
    failing_tail(monkeypatch, error)

    with pytest.raises(KeyboardInterrupt):
        run(["tail"])
    assert capsys.readouterr().err == ""


def test_a_worker_loads_nothing_of_the_trainer() -> None:
    program = (
        "import sys; import segue.cli.commands; import segue.build_worker; "
        "print(sorted({'pandas', 'sklearn', 'joblib', 'scipy', 'pyarrow', 'duckdb', 'trainer'} & "
        "set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def test_help_loads_no_client_of_any_server() -> None:
    program = (
        "import sys; from segue.cli.main import run; run(['--help']); "
        "print(sorted({'confluent_kafka', 'redis', 'faust', 'aiokafka', 'pandas'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"


def test_where_nothing_can_be_written_the_exit_code_still_tells(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "segue", "tail", "--config", str(tmp_path / "none.toml")]
    with Path("/dev/full").open("w") as full:
        assert subprocess.run(command, stderr=full, check=False).returncode == BadSetting.exit_code


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["train", "--warehouse", ""], "option --warehouse"),
        (["train", "--warehouse", ".", "--out", ""], "option --out"),
        (["train", "--warehouse", ".", "--current="], "option --current"),
        (["train", "--warehouse", ".", "--config", ""], "option --config"),
        (["bootstrap", "--warehouse", "", "--as-of", "2024-01-01"], "option --warehouse"),
        (["ingest", "--warehouse", ""], "option --warehouse"),
        (["ingest", "events.jsonl", ""], "argument FILE…"),
        (["verify", "--warehouse", ""], "option --warehouse"),
        (["replay", "--release", ""], "option --release"),
        (["publish", ""], "argument PATH"),
        (["publish", ".", "--to", ""], "option --to"),
        (["predict", "--release", ""], "option --release"),
        (["rollback", "--out", ""], "option --out"),
    ],
)
def test_an_empty_text_for_a_path_is_not_the_working_directory(
    arguments: list[str], name: str, capsys: Capture
) -> None:
    assert run(arguments) == 2
    assert capsys.readouterr().err == (
        f"Error: {name} is '': name a path or an address; an unset variable gives an empty text\n"
    )


@pytest.mark.parametrize(
    ("arguments", "name", "wanted"),
    [
        (["rebuild", "--into", ""], "option --into", "name a prefix"),
        (["rebuild", "--into", "", "--drop"], "option --into", "name a prefix"),
        (["tail", "--user", ""], "option --user", "name a user"),
        (["replay", "--user", "7", "--user", ""], "option --user", "name a user"),
        (["forget", ""], "argument ID", "name a user"),
        (["replay", "--to-topic", ""], "option --to-topic", "give a name"),
    ],
)
def test_an_empty_text_for_a_prefix_is_not_every_key(
    arguments: list[str], name: str, wanted: str, capsys: Capture
) -> None:
    assert run(arguments) == 2
    assert capsys.readouterr().err == (
        f"Error: {name} is '': {wanted}; an unset variable gives an empty text\n"
    )


def test_a_release_s_folder_is_looked_at_before_kafka_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def fail(*_: object, **__: object) -> NoReturn:
        raise AssertionError("Kafka was asked")

    monkeypatch.setattr("segue.refill.run_replay.lanes_of", fail)
    (tmp_path / "here" / "release").mkdir(parents=True)

    assert run(["replay", "--release", "here/release"]) == 4
    assert "manifest.json cannot be read (No such file or directory)" in capsys.readouterr().err
    with without_rights(tmp_path / "here"):
        assert run(["replay", "--release", "here/release"]) == 4
    assert "the release here/release cannot be read (Permission denied)" in capsys.readouterr().err
