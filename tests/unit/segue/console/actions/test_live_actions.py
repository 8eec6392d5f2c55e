"""An action on a Kafka that does not answer is given up as soon as the person has an answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import Unreachable
from segue.config.settings import Settings
from segue.connect import wait_for_servers
from segue.console.actions import live_actions
from segue.console.actions.console_actions import ActionName
from segue.console.actions.live_actions import LiveActions
from segue.console.facts.console_files import ConsoleFiles


@pytest.mark.parametrize("action", ["roll-back", "retry-letters"])
def test_it_waits_no_longer_than_a_person(
    action: ActionName, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(live_actions, "DEADLINE_S", 0.2)
    said: list[str] = []
    actions = LiveActions(Settings(kafka="127.0.0.1:1"), ConsoleFiles(Path("releases")), said.append)
    with pytest.raises(Unreachable, match=r"^Kafka at .* did not "):
        actions.act(action, {"version": "a" * 12, "reason": "", "topic": ""})
    assert (said, capsys.readouterr().err) == ([], "")
    assert wait_for_servers.patience_s() == wait_for_servers.PATIENCE_S
