"""What a replay is asked for."""

import pytest

from segue.cli.main import run


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--from", "yesterday"], "option --from is 'yesterday'"),
        (["--from", "2024-02-01", "--to", "2024-02-01"], "the window is empty"),
        (["--from", "2024-02-01", "--to-offsets", "0:1:1"], "give times (--from, --to) or places"),
        (["--from-offsets", "0:1"], "option --from-offsets is '0:1': give LANE:SIGNUPS:ORDERS"),
        (["--from-offsets", "0:1:1:1:1"], "is '0:1:1:1:1': give LANE:SIGNUPS:ORDERS"),
        (["--to-offsets", "0:1:1", "--to-offsets", "0:2:2"], "lane 0 is named twice"),
    ],
)
def test_what_cannot_be_used_is_said(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["replay", *arguments]) == 2
    assert told in capsys.readouterr().err
