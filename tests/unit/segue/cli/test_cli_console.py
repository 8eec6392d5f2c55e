from __future__ import annotations

from unittest.mock import Mock

import pytest

from segue.cli.main import run
from segue.console import run_console

Capture = pytest.CaptureFixture[str]


def test_a_port_that_is_none_is_refused(capsys: Capture) -> None:
    assert run(["console", "--port", "70000"]) == 2
    assert capsys.readouterr().err == "Error: option --port is 70000: give 0 to 65535\n"


def test_a_short_token_from_the_environment_is_refused(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEGUE_CONSOLE_TOKEN", "hunter2")
    assert run(["console"]) == 2
    assert capsys.readouterr().err == (
        "Error: the token has 7 characters: give at least 16, such as from `openssl rand -hex 16`\n"
    )


@pytest.mark.parametrize(
    ("option", "variable", "token"),
    [([], None, None), ([], "", None), ([], "v" * 16, "v" * 16), (["--token", "o" * 16], "v" * 16, "o" * 16)],
)
def test_the_option_comes_before_the_variable(
    monkeypatch: pytest.MonkeyPatch, option: list[str], variable: str | None, token: str | None
) -> None:
    if variable is not None:
        monkeypatch.setenv("SEGUE_CONSOLE_TOKEN", variable)
    serve = Mock()
    monkeypatch.setattr(run_console, "run_console", serve)
    assert run(["console", *option]) == 0
    _, options, _ = serve.call_args.args
    assert (options.host, options.port, options.token) == ("127.0.0.1", 8765, token)
