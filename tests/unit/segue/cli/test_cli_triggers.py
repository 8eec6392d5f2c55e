"""`segue triggers`: what it says without any server."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from schemas.errors import Unreachable
from schemas.outputs.wire import encode_release
from schemas.release.model_release import ModelRelease
from schemas.topics import MODELS_CURRENT_KEY
from segue.cli.main import run
from segue.triggers.service import unknown_segments
from streamer.interfaces.lane_interfaces import Record
from streamer.kafka.models_topic import ModelsTopic
from tests.support.worlds.made_up_release import a_release

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
    monkeypatch.setenv("SEGUE_KAFKA", "127.0.0.1:1")
    monkeypatch.setattr(unknown_segments, "LOOK_S", 0.2)
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
    assert run(["triggers", "check", "triggers.toml", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines == [dict(zip(("trigger", "sends"), line.split("\t"), strict=True)) for line in (hello, gone)]


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


@pytest.mark.parametrize(
    ("current", "said"),
    [
        (a_release(), "Note: trigger hello: the current release has no segment 'At risk', it has 0 "),
        (None, "Note: the segments are not checked: no release is in use"),
        (Unreachable("Kafka is away"), "Note: the segments are not checked: Kafka is away"),
    ],
)
def test_check_names_segments_that_the_release_does_not_have(
    current: ModelRelease | Unreachable | None,
    said: str,
    file: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def read(_: ModelsTopic) -> list[Record]:
        if isinstance(current, Unreachable):
            raise current
        value = None if current is None else encode_release(current)
        return [Record("segment-models", 0, 0, MODELS_CURRENT_KEY.encode(), value, 0)]

    monkeypatch.setattr(ModelsTopic, "read", read)
    assert run(["triggers", "check", "triggers.toml"]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(said)


def test_check_without_a_kafka_says_so(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["triggers", "check", "triggers.toml"]) == 0
    assert "Note: the segments are not checked: Kafka at 127.0.0.1:1 did not " in capsys.readouterr().err


def test_a_secret_in_the_file_is_noted_without_its_value(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    headers = 'headers = { X-Source = "segue", authorization = "Bearer hunter2", "X-API-Key" = "hunter3" }'
    file.write_text(f"{FILE}{headers}\n", encoding="utf-8")
    assert run(["triggers", "check", "triggers.toml"]) == 0
    out, err = capsys.readouterr()
    assert (
        "Note: trigger gone: the header authorization looks like a secret and stands in the file as plain"
        " text: put its value into an environment variable, and give"
        " headers_env = { authorization = 'GONE_AUTHORIZATION' }\n"
    ) in err
    assert "headers_env = { X-API-Key = 'GONE_X_API_KEY' }\n" in err
    assert "X-Source" not in err
    assert "hunter" not in out + err


def test_a_trigger_that_is_not_in_the_file(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["triggers", "retry", "triggers.toml", "--trigger", "nobody"]) == 2
    assert "option --trigger is 'nobody': triggers.toml has hello, gone" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "package"),
    [
        ("run", "standardwebhooks"),
        ("run", "redis"),
        ("run --dry-run --since 30d", "redis"),
        ("retry", "urllib3"),
        ("check", "redis"),
    ],
)
def test_without_the_extra_a_sentence_says_how_to_install_it(
    command: str,
    package: str,
    file: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name, *options = command.split()
    ours = ("segue.triggers", "segue.rehearsal", "segue.connect", "segue.refill", "streamer", package)
    for module in [module for module in sys.modules if module.startswith(ours)]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    assert run(["triggers", name, "triggers.toml", *options]) == 10
    err = capsys.readouterr().err
    assert f"this command needs {package}, which is not installed" in err
    assert "pip install '.[triggers]'" in err
