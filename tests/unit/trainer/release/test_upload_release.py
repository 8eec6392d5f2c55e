from __future__ import annotations

import sys
from pathlib import Path

import pytest

from schemas.errors import BadSetting, NotInstalled, SegueError, Unreachable
from trainer.release.upload_release import upload


def test_a_password_is_in_no_message(tmp_path: Path) -> None:
    with pytest.raises(SegueError) as caught:
        upload(tmp_path, "v", "nonsense://shop:hunter2@host/path")
    assert "hunter2" not in str(caught.value)
    assert "nonsense://host/path" in str(caught.value)


def test_a_password_that_the_store_repeats_is_in_no_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(url: str) -> None:
        raise ValueError(f"cannot open {url}")

    monkeypatch.setattr("trainer.release.upload_release.url_to_fs", refuses)
    with pytest.raises(BadSetting, match="cannot open s3://bucket/x") as caught:
        upload(tmp_path, "v", "s3://shop:hunter2@bucket/x")
    assert "hunter2" not in str(caught.value)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match=r"release v cannot be written to .*nothing was published"):
        upload(tmp_path / "nowhere", "v", str(tmp_path / "to"))


def test_a_store_whose_package_is_not_installed_is_told_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)

    with pytest.raises(NotInstalled, match=r"s3://bucket cannot be opened.*Install s3fs") as caught:
        upload(tmp_path, "v", "s3://shop:hunter2@bucket")
    assert caught.value.exit_code == 10
    assert "hunter2" not in str(caught.value)
