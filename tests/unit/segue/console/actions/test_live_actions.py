"""An action on a silent Kafka is given up as soon as the person has an answer; who excludes whom."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from schemas.errors import Unreachable
from segue.config.command_line import BadUsage
from segue.config.settings import Settings
from segue.connect import wait_for_servers
from segue.console.actions import live_actions
from segue.console.actions.console_actions import ActionName, ActionRuns
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


def test_webhooks_that_wait_for_their_receiver_hold_no_publication_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    began, may_end = threading.Event(), threading.Event()

    def wait(*_: object) -> tuple[str, ...]:
        began.set()
        assert may_end.wait(10.0)
        return ("Sent.",)

    monkeypatch.setattr(LiveActions, "_retry_webhooks", wait)
    monkeypatch.setattr(LiveActions, "_roll_back", wait)
    actions = LiveActions(Settings(), ConsoleFiles(Path("releases")), lambda _: None)
    fields = {"version": "a" * 12, "trigger": ""}
    for runs, others in (("retry-webhooks", ["retry-webhooks"]), ("roll-back", ["publish", "roll-back"])):
        thread = threading.Thread(target=actions.act, args=(runs, fields))
        thread.start()
        assert began.wait(10.0)
        for other in others:
            with pytest.raises(ActionRuns):
                actions.act(other, fields)  # type: ignore[arg-type]
        if runs == "retry-webhooks":
            with pytest.raises(BadUsage, match="is not in the folder"):
                actions.act("publish", fields)
        may_end.set()
        thread.join()
        began.clear()
        may_end.clear()
