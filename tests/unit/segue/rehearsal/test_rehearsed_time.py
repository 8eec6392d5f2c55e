"""The length of a rehearsal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from schemas.times import EPOCH
from segue.cli.main import run
from segue.config.command_line import BadUsage
from segue.rehearsal.rehearsed_time import check_log_reaches, rehearsed_since

NOW = datetime(2024, 3, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("30d", datetime(2024, 3, 1, 12, tzinfo=UTC)),
        ("12h", datetime(2024, 3, 31, tzinfo=UTC)),
        ("999999d", EPOCH),
        ("90000d", EPOCH),
    ],
)
def test_the_last_days(text: str, since: datetime) -> None:
    assert rehearsed_since("--rehearse", text, NOW) == since


@pytest.mark.parametrize("text", ["0d", "0s", "30", "-3d", "a month", "", "1.5d", "30d\x1b", "999999999999d"])
def test_a_length_that_is_none_is_refused_before_anything_else(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["publish", "nowhere", f"--rehearse={text}"]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith(f"Error: option --rehearse is {text!r}: ".replace("\x1b", "\\x1b"))
    assert "give a length such as 30d or 12h" in shown
    assert shown.count("\n") == 1


@pytest.mark.parametrize("option", ["--warehouse", "--triggers"])
def test_what_is_for_a_rehearsal(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["publish", "nowhere", option, "tables"]) == 2
    assert f"option {option} is for --rehearse: give both" in capsys.readouterr().err


def test_a_limit_of_webhooks_needs_triggers_and_is_a_count(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["publish", "nowhere", "--rehearse", "30d", "--max-webhooks", "5"]) == 2
    assert "option --max-webhooks is for --triggers: give both" in capsys.readouterr().err
    assert run(["publish", "nowhere", "--triggers", "t.toml", "--max-webhooks", "-1"]) == 2
    assert "option --max-webhooks is -1: give 0 or more" in capsys.readouterr().err


def test_a_log_that_does_not_reach_back_so_far() -> None:
    check_log_reaches("--rehearse", NOW - timedelta(days=2), NOW, NOW - timedelta(days=2))
    for age, most in (({"days": 2, "hours": 5}, "2d"), ({"hours": 5}, "5h"), ({"seconds": 61}, "1m")):
        with pytest.raises(BadUsage) as caught:
            check_log_reaches("--rehearse", NOW - timedelta(days=30), NOW, NOW - timedelta(**age))
        assert str(caught.value).startswith(
            "option --rehearse reaches back to 2024-03-01T12:00:00Z, but the log begins at 2024-03-"
        )
        assert str(caught.value).endswith(f": give at most {most}")
    with pytest.raises(BadUsage, match="wait until it has events"):
        check_log_reaches("--rehearse", NOW - timedelta(days=30), NOW, NOW - timedelta(seconds=3))
    with pytest.raises(BadUsage, match="the topics have no event yet"):
        check_log_reaches("--rehearse", NOW - timedelta(days=30), NOW, None)
