"""What `segue rebuild` cannot be asked for, and what it says comes next."""

import pytest

from segue.cli.main import run
from segue.refill import run_rebuild
from segue.refill.rebuild_steps import Rebuilt
from streamer.batch.refusals import Refusals


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


@pytest.mark.parametrize(
    ("anew", "then"),
    [
        (False, "segue rebuild --into beans: --switch"),
        # Under other settings a switch is refused.
        (True, "stop the workers, and start them with these settings and redis_prefix = beans:"),
    ],
)
def test_the_next_step_is_one_that_works(
    anew: bool, then: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run_rebuild, "rebuild", lambda *_: Rebuilt(3, 9, anew, Refusals()))
    assert run(["rebuild", "--into", "beans:"]) == 0
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == f"Next: segue verify --redis-prefix beans:, then {then}"
