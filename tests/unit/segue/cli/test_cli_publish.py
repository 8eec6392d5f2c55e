"""`segue publish` of a release that the topic knows already; the topic itself is another test's."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.features import Feature
from schemas.release.model_release import ModelRelease
from segue.cli.main import run
from segue.rehearsal import rehearse_log
from segue.rehearsal.kept_rehearsal import kept_rehearsal
from segue.releases import release_topic
from tests.support.worlds.made_up_rehearsal import a_rehearsal
from tests.support.worlds.made_up_release import a_release
from trainer.publish.publish_release import Plan
from trainer.publish.release_history import Publication, Published

Capture = pytest.CaptureFixture[str]
OLD, NEW = (replace(a_release(), version=version) for version in ("old", "new"))


@pytest.fixture
def carried_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Any]:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)
    found: list[Any] = []

    def carry_out(plan: Plan, settings: object, to: str | None, *, force: bool) -> int:
        found.append((plan.release.version, to, force))
        return 12

    monkeypatch.setattr(release_topic, "carry_out", carry_out)
    return found


def plan(monkeypatch: pytest.MonkeyPatch, release: ModelRelease, current: ModelRelease) -> None:
    """Publishing ``release`` where the topic knows ``OLD`` and ``current``."""
    releases = (current,) if current.version == OLD.version else (OLD, current)
    known = tuple(Publication(each, None, None) for each in releases)
    planned = Plan(Path(), release, "", Published(known, known[-1], 7), None, None, None)
    monkeypatch.setattr(release_topic, "plan", lambda _path, _settings: planned)


def test_the_current_release_is_not_published_again(
    monkeypatch: pytest.MonkeyPatch, carried_out: list[Any], capsys: Capture
) -> None:
    plan(monkeypatch, NEW, NEW)
    for options in ([], ["--dry-run"]):
        assert run(["publish", "new", *options]) == 0
        shown = capsys.readouterr()
        assert shown.out == (
            "Release new is current already on segment-models, by activation 7: nothing was published.\n"
        )
        assert shown.err == ""
    assert run(["publish", "new", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["already_current"], told["activation"]) == (True, None)
    assert carried_out == []


def test_force_and_another_place_publish_it_again(
    monkeypatch: pytest.MonkeyPatch, carried_out: list[Any], capsys: Capture, tmp_path: Path
) -> None:
    plan(monkeypatch, NEW, replace(NEW, artifacts_uri=f"file://{tmp_path}/here/new"))
    assert run(["publish", "new", "--to", "here"]) == 0
    assert "is current already" in capsys.readouterr().out
    assert run(["publish", "new", "--to", "there"]) == 0
    assert capsys.readouterr().out == "Published release new on segment-models: activation 12.\n"
    assert run(["publish", "new", "--force"]) == 0
    assert carried_out == [("new", "there", False), ("new", None, True)]


def test_an_older_release_goes_back(
    monkeypatch: pytest.MonkeyPatch, carried_out: list[Any], capsys: Capture
) -> None:
    plan(monkeypatch, OLD, NEW)
    assert run(["publish", "old"]) == 0
    shown = capsys.readouterr()
    assert "Release old was published before, and new is current: this goes back to it" in shown.err
    assert shown.out.startswith("Published release old")
    assert [version for version, _, _ in carried_out] == ["old"]


def test_a_release_of_features_that_are_not_declared_here(
    monkeypatch: pytest.MonkeyPatch, carried_out: list[Any], capsys: Capture
) -> None:
    """Such as another shop's."""
    other = replace(NEW, declared=(Feature("total_spend", "sum", "order_value"),))
    plan(monkeypatch, other, OLD)
    assert run(["publish", "new"]) == 0
    told = capsys.readouterr().err
    assert (
        "Note: workers with these settings would not use it: release 'new' was trained with total_spend"
        in told
    )
    assert len(carried_out) == 1


@pytest.fixture
def rehearsed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Any]:
    """The arguments of each rehearsal. 6% of the users flap, and the switch moves 2%."""
    found: list[Any] = []

    def rehearse(release: ModelRelease, *others: object) -> object:
        found.append((release.version, *others))
        return a_rehearsal()

    monkeypatch.setattr(rehearse_log, "rehearse", rehearse)
    monkeypatch.chdir(tmp_path)
    return found


def test_a_rehearsal_publishes_what_its_gate_lets_pass(
    monkeypatch: pytest.MonkeyPatch, carried_out: list[Any], rehearsed: list[Any], capsys: Capture
) -> None:
    plan(monkeypatch, NEW, OLD)
    assert run(["publish", "new", "--rehearse", "30d", "--max-flaps", "0.06"]) == 0
    shown = capsys.readouterr()
    assert "Suggested min_margin: 0.1" in shown.err
    assert "Published release new" in shown.out
    assert len(carried_out) == 1
    version, settings, since, until, *_ = rehearsed[0]
    assert (version, settings.max_flaps, until - since) == ("new", 0.06, timedelta(days=30))


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        (["--max-flaps", "0.059"], "would return to a segment they left, and the limit is 5.9%"),
        (["--max-moved", "0.01"], "would now move 2 of 100 users (2.0%)"),
        (["--triggers", "t.toml", "--max-webhooks", "1"], "trigger welcome would send 2 webhooks at once"),
    ],
)
def test_a_rehearsal_refuses(
    monkeypatch: pytest.MonkeyPatch,
    carried_out: list[Any],
    rehearsed: list[Any],
    capsys: Capture,
    limit: list[str],
    told: str,
) -> None:
    plan(monkeypatch, NEW, OLD)
    Path("t.toml").write_text('[triggers.welcome]\non = "erased"\nurl = "http://x"\n')
    limit = ["--max-flaps", "0.06", *limit]
    for options in (["--json"], ["--json", "--dry-run"]):
        assert run(["publish", "new", "--rehearse", "30d", *limit, *options]) == 11
        shown = capsys.readouterr()
        assert told in shown.err
        fields = json.loads(shown.out)
        assert told in fields["refusal"]
        assert fields["activation"] is None
        assert fields["rehearsal"]["new"]["flapping_users"] == 60
        kept = kept_rehearsal(Path(), "2ff907b8a07b")
        assert kept is not None
        assert kept.refusal == fields["refusal"]
    assert carried_out == []
    assert run(["publish", "new", "--rehearse", "30d", *limit, "--force"]) == 0
    assert carried_out == [("new", None, True)]


def test_the_current_release_can_be_rehearsed_and_is_not_refused(
    monkeypatch: pytest.MonkeyPatch, carried_out: list[Any], rehearsed: list[Any], capsys: Capture
) -> None:
    plan(monkeypatch, NEW, NEW)
    assert run(["publish", "new", "--rehearse", "30d", "--max-flaps", "0"]) == 0
    shown = capsys.readouterr()
    assert "is current already" in shown.out
    assert "Suggested min_margin: 0.1" in shown.err
    assert carried_out == []


def test_a_first_release_has_nothing_to_be_rehearsed_against(
    monkeypatch: pytest.MonkeyPatch, carried_out: list[Any], rehearsed: list[Any], capsys: Capture
) -> None:
    planned = Plan(Path(), NEW, "", Published((), None, None), None, None, None)
    monkeypatch.setattr(release_topic, "plan", lambda _path, _settings: planned)
    assert run(["publish", "new", "--rehearse", "30d", "--force"]) == 2
    assert "no release is current on segment-models, so there is nothing to" in capsys.readouterr().err
    assert rehearsed == carried_out == []


def test_an_interrupted_rehearsal_publishes_nothing(
    monkeypatch: pytest.MonkeyPatch, carried_out: list[Any], capsys: Capture
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    plan(monkeypatch, NEW, OLD)
    monkeypatch.setattr(rehearse_log, "rehearse", interrupted)
    assert run(["publish", "new", "--rehearse", "30d"]) == 130
    assert carried_out == []
