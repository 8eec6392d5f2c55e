from __future__ import annotations

import threading
from pathlib import Path

import pytest

from segue.services.programs.cache import cache_dir, cached_folder, is_cached


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_the_cache_lies_where_the_system_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_dir() == tmp_path / "segue"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert cache_dir() == Path("/home/somebody/.cache/segue")


def test_a_folder_is_filled_once() -> None:
    filled: list[Path] = []

    def fill(folder: Path) -> None:
        filled.append(folder)
        (folder / "jar").write_text("x")

    first = cached_folder("things", fill)
    second = cached_folder("things", fill)

    assert first == second
    assert (first / "jar").read_text() == "x"
    assert len(filled) == 1
    assert is_cached("things")


def test_a_folder_whose_filling_failed_does_not_appear_and_is_tried_again() -> None:
    def fail(folder: Path) -> None:
        (folder / "half").write_text("x")
        raise RuntimeError("no network")

    with pytest.raises(RuntimeError, match="no network"):
        cached_folder("things", fail)
    assert not is_cached("things")
    # Nothing of the failed attempt is left but the lock.
    assert [path.name for path in cache_dir().iterdir()] == ["things.lock"]

    folder = cached_folder("things", lambda path: (path / "whole").touch())
    assert [path.name for path in folder.iterdir()] == ["whole"]


def test_of_two_at_once_one_fills_and_the_other_waits() -> None:
    filling, go_on = threading.Event(), threading.Event()
    filled: list[str] = []

    def slowly(_: Path) -> None:
        filled.append("first")
        filling.set()
        assert go_on.wait(30)

    first = threading.Thread(target=cached_folder, args=("things", slowly))
    second = threading.Thread(target=cached_folder, args=("things", lambda _: filled.append("second")))
    first.start()
    assert filling.wait(30)
    second.start()
    go_on.set()
    first.join(30)
    second.join(30)

    assert filled == ["first"]
