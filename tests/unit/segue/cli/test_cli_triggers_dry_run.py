"""The options of a dry run of triggers."""

from __future__ import annotations

from pathlib import Path

import pytest

from segue.cli.main import run


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--dry-run"], "option --dry-run needs --since"),
        (["--since", "30d"], "option --since is for --dry-run"),
        (["--json"], "option --json is for --dry-run"),
        (["--dry-run", "--since", "1d", "--from-beginning"], "option --from-beginning is not for --dry-run"),
        (["--dry-run", "--since", "0d"], "option --since is '0d': nothing can happen in no time"),
        (["--dry-run", "--since", "soon"], "option --since is 'soon': give a length such as 30d or 12h"),
        (["--dry-run", "--since", "1d"], "nothing.toml: the file cannot be read"),
    ],
)
def test_what_cannot_be_looked_at_is_said(
    options: list[str], told: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(["triggers", "run", str(tmp_path / "nothing.toml"), *options]) == 2
    shown = capsys.readouterr().err
    assert told in shown
    assert shown.count("\n") == 1
