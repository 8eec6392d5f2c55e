"""`segue triggers`: what it says without any server."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from segue.cli.main import run

FILE = """
[triggers.hello]
on = "entering"
segment = "At risk"
url = "https://crm.example.com/hooks"
reentry = "30d"
cooldown = "7d"
causes = ["order"]
holdout = 0.1

[triggers.gone]
on = "erased"
url_env = "GONE_URL"
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GONE_URL", "https://crm.example.com/gone")
    path = tmp_path / "triggers.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_check_says_when_each_trigger_sends(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["triggers", "check", "triggers.toml"]) == 0
    hello, gone = capsys.readouterr().out.splitlines()
    assert hello == (
        'hello\ton entering "At risk", again after 30 days, caused by order, not within 7 days of the user\'s'
        " last webhook, except for 10% of the users, at most 2 days late"
    )
    assert gone == "gone\ton an erasure, always"


def test_check_finds_what_run_would_need(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GONE_URL")
    assert run(["triggers", "check", "triggers.toml"]) == 2
    assert "trigger gone, url_env is not usable: the environment variable GONE_URL is not set" in (
        capsys.readouterr().err
    )


def test_check_tries_the_templates(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(
        f"{FILE}body = '{{{{ segment_name | tojson }}}}'\n", encoding="utf-8"
    )  # of an erased user
    assert run(["triggers", "check", "triggers.toml"]) == 2
    assert (
        "trigger gone, body is not usable: the template fails for this change: 'segment_name' is undefined"
        in (capsys.readouterr().err)
    )


def test_a_trigger_that_is_not_in_the_file(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["triggers", "retry", "triggers.toml", "--trigger", "nobody"]) == 2
    assert "option --trigger is 'nobody': triggers.toml has hello, gone" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["run", "retry", "check"])
def test_without_the_extra_a_sentence_says_how_to_install_it(
    command: str, file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("segue.triggers.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "standardwebhooks", None)
    assert run(["triggers", command, "triggers.toml"]) == 10
    err = capsys.readouterr().err
    assert "this command needs standardwebhooks, which is not installed" in err
    assert "pip install '.[triggers]'" in err
