"""The folder of releases, as the console reads it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from schemas.outputs.wire import encode_release
from schemas.release.model_release import ModelRelease
from segue.console.facts.console_files import ConsoleFiles, Pair
from tests.support.worlds.made_up_release import a_release
from trainer.release.release_folder import ARTIFACTS, MODEL

REPORT = msgspec.json.encode(
    {
        "impact": {
            "current": "0123456789ab",
            "names": {"0": "men", "1": "women"},
            "by_model": {"users": 200, "pairs": [{"previous": 0, "segment": 1, "users": 4}]},
            "by_behaviour": None,
            "metrics": [],
        },
        "scatter": [[[1.0, 2.0], [0.5, 2.5]], [[-1.0, 0.0]]],
        "more": 1,
    }
)
FILES = {"report.html": b"<html>", "report.json": REPORT}


@pytest.fixture
def release(tmp_path: Path) -> ModelRelease:
    """A release in its folder."""
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
    made = replace(a_release(), artifacts=hashes)
    folder = tmp_path / made.version
    folder.mkdir()
    manifest = {
        "version": made.version,
        "created_at": "2024-12-01T08:00:00Z",
        "files": dict.fromkeys([*ARTIFACTS, MODEL], "0"),
        "made_with": {},
    }
    written = {**FILES, "model.json": encode_release(made), "manifest.json": msgspec.json.encode(manifest)}
    for name, content in written.items():
        (folder / name).write_bytes(content)
    return made


def test_releases_with_their_report_its_impact_and_its_scatter_are_found(
    tmp_path: Path, release: ModelRelease
) -> None:
    files = ConsoleFiles(tmp_path)
    assert [(each.release.version, each.created_at) for each in files.found()] == [
        (release.version, "2024-12-01T08:00:00Z")
    ]
    assert files.page(release) == b"<html>"
    impact = files.impact(release)
    assert impact is not None
    assert impact.by_model is not None
    assert (impact.by_model.share, impact.by_model.pairs) == (0.02, (Pair(0, 1, 4),))
    assert files.scatter(release) == (((1.0, 2.0), (0.5, 2.5)), ((-1.0, 0.0),))


def test_a_report_that_is_not_the_releases_own_is_not_shown(tmp_path: Path, release: ModelRelease) -> None:
    (tmp_path / release.version / "report.html").write_bytes(b"<html>another")
    (tmp_path / release.version / "report.json").write_bytes(b"{}")
    files = ConsoleFiles(tmp_path)
    assert (files.page(release), files.impact(release), files.scatter(release)) == (None, None, ())


@pytest.mark.parametrize("version", ["..", "0123456789ab/..", "", "0123456789AB", "/etc"])
def test_only_a_version_names_a_folder(tmp_path: Path, version: str) -> None:
    assert ConsoleFiles(tmp_path).folder_of(version) is None


def test_without_a_folder_there_are_no_releases(tmp_path: Path) -> None:
    assert ConsoleFiles(tmp_path / "none").found() == ()
