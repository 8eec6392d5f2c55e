from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.errors import BadRelease, BadSetting, NoRoom
from tests.support.worlds.trained_shops import CREATED_AT, QUICK, Shop, a_shop, a_trained_folder
from trainer.release.release_folder import check_writable, load_release, read_manifest
from trainer.train import train

FILES = [
    "assignments.parquet",
    "features.sql",
    "manifest.json",
    "model.json",
    "pipeline.joblib",
    "report.html",
    "report.json",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy to spoil."""
    return a_trained_folder(tmp_path / "releases")


def test_the_folder_is_named_by_the_version_and_holds_these_files(folder: Path) -> None:
    release = load_release(folder)
    assert folder.name == release.version
    assert sorted(path.name for path in folder.iterdir()) == FILES
    assert sorted(read_manifest(folder).files) == [name for name in FILES if name != "manifest.json"]
    assert sorted(release.artifacts) == [n for n in FILES if n not in ("manifest.json", "model.json")]


@pytest.mark.parametrize("name", [name for name in FILES if name != "manifest.json"])
def test_one_changed_byte_is_found_and_the_file_named(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(BadRelease, match="was changed: its SHA-256") as caught:
        load_release(folder)
    assert str(folder / name) in str(caught.value)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(BadRelease, match="No such file or directory") as caught:
        load_release(folder)
    assert str(folder / name) in str(caught.value)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(BadRelease, match="name the folder of a release"):
        load_release(tmp_path / "nowhere")


@pytest.mark.parametrize("content", [b"", b"[]", b'{"version": "x"}', b"\xff"])
def test_a_manifest_that_is_none(folder: Path, content: bytes) -> None:
    (folder / "manifest.json").write_bytes(content)
    with pytest.raises(BadRelease, match=r"manifest\.json cannot be read"):
        load_release(folder)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda files: files.pop("model.json"), "model.json"),
        (lambda files: files.update({"../../secret": "0" * 64}), "../../secret"),
    ],
)
def test_a_manifest_of_other_files(
    folder: Path, change: Callable[[dict[str, str]], object], named: str
) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest["files"])
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BadRelease, match="lists other files than a release has") as caught:
        load_release(folder)
    assert named in str(caught.value)


def test_a_file_and_a_manifest_changed_together_do_not_fit_the_model(folder: Path) -> None:
    other = a_trained_folder(folder.parent, replace(QUICK, k=4, k_min=4))
    shutil.copy(other / "report.json", folder / "report.json")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["report.json"] = read_manifest(other).files["report.json"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BadRelease, match="list different files"):
        load_release(folder)


def test_nothing_is_unpickled(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def loaded(*_: object) -> None:
        raise AssertionError("a pickle was loaded")

    for name in ("pickle.load", "pickle.loads", "joblib.load"):
        monkeypatch.setattr(name, loaded)
    load_release(folder)


def test_a_release_that_is_there_stays_as_it_is(folder: Path) -> None:
    before = (folder / "manifest.json").read_bytes()
    again = train(Shop(), QUICK, folder.parent, created_at=datetime(2030, 1, 1, tzinfo=UTC))
    assert again == folder
    assert (folder / "manifest.json").read_bytes() == before


def test_a_damaged_release_is_not_written_over(folder: Path) -> None:
    (folder / "report.html").write_text("")
    with pytest.raises(BadRelease, match=r"report\.html was changed"):
        train(Shop(), QUICK, folder.parent)


def test_nothing_is_left_where_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        if path.name == "model.json":
            raise OSError(28, "No space left on device")
        return written(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(NoRoom, match="No space left on device"):
        train(Shop(), QUICK, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_full_disk_is_found_before_the_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    check_writable(tmp_path / "out")
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(NoRoom, match=r"no room for a release in .*: make room, or name another folder"):
        check_writable(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_the_folder_appears_by_one_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(path: Path, target: Path) -> Path:
        assert sorted(each.name for each in path.iterdir()) == FILES
        assert not target.exists()
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(BadSetting, match="Input/output error"):
        train(Shop(), QUICK, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_another_trainer_was_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = a_trained_folder(tmp_path / "theirs")

    def too_late(path: Path, target: Path) -> Path:
        shutil.copytree(made, target)
        raise OSError(39, "Directory not empty")

    monkeypatch.setattr(Path, "rename", too_late)
    folder = train(Shop(), QUICK, tmp_path / "ours", created_at=CREATED_AT)
    assert load_release(folder) == load_release(made)
    assert list((tmp_path / "ours").iterdir()) == [folder]


def test_a_place_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadSetting, match="setting out is"):
        train(Shop(), QUICK, tmp_path / "file" / "releases")


def test_other_rows_are_another_release(folder: Path) -> None:
    assert train(Shop(a_shop(seed=2)), QUICK, folder.parent) != folder
