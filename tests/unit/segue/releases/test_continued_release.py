"""Which release a training continues, where Kafka cannot say it."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from schemas.errors import BadRelease, Unreachable
from segue.config.settings import Settings
from segue.connect import wait_for_servers
from segue.releases import continued_release, release_topic
from segue.releases.continued_release import release_to_continue
from segue.releases.release_topic import PatientTopic
from tests.support.worlds.made_up_release import a_release
from tests.support.worlds.trained_shops import a_trained_folder
from trainer.publish.release_history import Publication, Published
from trainer.release.release_folder import load_release

NOBODY = "127.0.0.1:1"  # refuses every connection


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(continued_release, "DEADLINE_S", 0.5)
    monkeypatch.setattr(release_topic, "DEADLINE_S", 0.5)
    monkeypatch.setattr(wait_for_servers, "PATIENCE_S", 0.0)


def test_a_folder_that_is_named(tmp_path: Path) -> None:
    folder = a_trained_folder(tmp_path)
    current = release_to_continue(
        Settings.model_validate({"kafka": NOBODY}), str(folder), tmp_path, pytest.fail
    )
    assert current is not None
    assert current.release == load_release(folder)
    assert current.next_segment == 5
    written = pq.read_table(folder / "assignments.parquet")
    assert current.assignments == written.drop_columns(["component_1", "component_2"])


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
        (
            "no Kafka answers at 127.0.0.1:1, the default, so this is a first training: --current names a "
            "release to continue"
        )
    ]


@pytest.mark.parametrize(
    ("uri", "prefix", "told"),
    [
        (None, "", ""),
        ("s3://evil\x1b[2J/{0}", "", (r", and 's3://evil\x1b[2J/{0}', where it was uploaded to, does not lie "
         r"below the" " setting artifacts_prefix")),
        ("memory://shop/a/{0}", "memory://shop", ", nor at 'memory://shop/a/{0}'"),
    ],
)  # fmt: skip
def test_where_the_current_release_s_users_are_not_at_hand(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, uri: str | None, prefix: str, told: str
) -> None:
    release = a_release()
    version = release.version
    publication = Publication(replace(release, artifacts_uri=uri and uri.format(version)), None, None)
    monkeypatch.setattr(PatientTopic, "read", lambda _: [])
    monkeypatch.setattr(continued_release, "published", lambda _: Published((publication,), publication, 1))
    said: list[str] = []

    settings = Settings.model_validate({"kafka": NOBODY, "artifacts_prefix": prefix})
    current = release_to_continue(settings, None, tmp_path, said.append)

    assert current is not None
    assert current.assignments is None
    assert said == [
        (
            f"the folder of release {version}, which is current, is not whole in "
            f"{tmp_path}{told.format(version)}: moves by"
            " behaviour and drift are not shown"
        )
    ]
