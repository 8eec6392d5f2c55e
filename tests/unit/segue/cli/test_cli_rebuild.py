"""What `segue rebuild` cannot be asked for."""

import pytest

from segue.cli.main import run


@pytest.mark.parametrize(
    "arguments",
    [
        ["--switch"],
        ["--drop"],
        ["--into", "segue:", "--switch"],
        ["--into", "a:", "--switch", "--drop"],
        ["--into", "a:", "--drop", "--warehouse", "w"],
    ],
)
def test_switch_and_drop_want_another_prefix_and_nothing_else(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["rebuild", "--redis-prefix", "segue:", *arguments]) == 2
    assert "use either --switch or --drop, with --into and a prefix other than" in capsys.readouterr().err
