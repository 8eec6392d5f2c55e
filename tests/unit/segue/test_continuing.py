"""Which release a training continues, where Kafka cannot say it."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import BadRelease, Unreachable
from segue import continuing, publishing, waiting
from segue.continuing import release_to_continue
from segue.settings import Settings
from tests.training import a_trained_folder
from trainer.release import load_release

NOBODY = "127.0.0.1:1"  # refuses every connection


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(continuing, "DEADLINE_S", 0.5)
    monkeypatch.setattr(publishing, "DEADLINE_S", 0.5)
    monkeypatch.setattr(waiting, "PATIENCE_S", 0.0)


def test_a_folder_that_is_named(tmp_path: Path) -> None:
    folder = a_trained_folder(tmp_path)
    current = release_to_continue(
        Settings.model_validate({"kafka": NOBODY}), str(folder), tmp_path, pytest.fail
    )
    assert current is not None
    assert current.release == load_release(folder)
    assert current.next_segment == 5
    assert current.assignments is not None
    assert current.assignments.num_rows == current.release.training.users_used


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(BadRelease, match="name the folder of a release"):
        release_to_continue(Settings.model_validate({}), str(tmp_path / "nowhere"), tmp_path, pytest.fail)


def test_none_asks_nobody(tmp_path: Path) -> None:
    assert (
        release_to_continue(Settings.model_validate({"kafka": NOBODY}), "none", tmp_path, pytest.fail) is None
    )


def test_a_kafka_that_was_named_has_to_answer(tmp_path: Path) -> None:
    with pytest.raises(
        Unreachable, match=r"Kafka at 127\.0\.0\.1:1 did not .* --current FOLDER, or --current none"
    ):
        release_to_continue(Settings.model_validate({"kafka": NOBODY}), None, tmp_path, pytest.fail)


def test_where_only_the_default_does_not_answer_it_is_a_first_training(tmp_path: Path) -> None:
    said: list[str] = []
    by_default = Settings.model_validate({"kafka": NOBODY})
    by_default.model_fields_set.clear()
    assert release_to_continue(by_default, None, tmp_path, said.append) is None
    assert said == [
        "no Kafka answers at 127.0.0.1:1, the default, so this is a first training: --current names a release to continue"
    ]
