"""A rehearsal is kept for the console, without user ids."""

from __future__ import annotations

from pathlib import Path

import msgspec

from segue.rehearsal.kept_rehearsal import keep_rehearsal, kept_rehearsal, rehearsal_file
from segue.rehearsal.rehearsal_page import rehearsal_json
from tests.support.worlds.made_up_rehearsal import TRIALS, a_rehearsal


def test_what_is_kept_is_read_and_names_no_user(tmp_path: Path) -> None:
    rehearsal = a_rehearsal()
    version = rehearsal.new.version
    file = keep_rehearsal(tmp_path, rehearsal_json(rehearsal), "it moves too many", ("a note",))
    assert [each.name for each in tmp_path.iterdir()] == [file.name] == [f"{version}.rehearsal.json"]
    assert not {"user_id", "moved"} & set(file.read_text(encoding="utf-8").replace('"', " ").split())

    kept = kept_rehearsal(tmp_path, version)
    assert kept is not None
    assert (kept.since, kept.until, kept.users) == (rehearsal.since, rehearsal.until, 1_000)
    assert (kept.new.moves, kept.new.flapping_users) == ({"order": 2_345_678, "signup": 12}, 60)
    assert (kept.switch.moving_users, kept.switch.share, kept.switch.entered) == (
        2,
        0.02,
        {1: 1_234_567, 0: 1},
    )
    assert kept.switch.webhooks["welcome"].sent == 2
    assert (tuple(kept.margins), kept.suggested_min_margin) == (TRIALS, 0.1)
    assert (kept.refusal, kept.notes) == ("it moves too many", ("a note",))


def test_what_is_not_the_releases_own_rehearsal_is_not_read(tmp_path: Path) -> None:
    file = keep_rehearsal(tmp_path, rehearsal_json(a_rehearsal()), None, ())
    other = rehearsal_file(tmp_path, "0" * 12)
    assert kept_rehearsal(tmp_path, "0" * 12) is None
    other.write_bytes(file.read_bytes())
    assert kept_rehearsal(tmp_path, "0" * 12) is None
    file.write_bytes(msgspec.json.encode({"since": 1}))
    assert kept_rehearsal(tmp_path, a_rehearsal().new.version) is None
