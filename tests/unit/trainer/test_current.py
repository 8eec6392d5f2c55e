"""Where the training users of a published release are found."""

from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from schemas.release import ModelRelease
from tests.releases import a_release
from trainer.current import published_assignments

USERS = pa.table({"user_id": ["7", "8"], "segment": [0, 2]})


@pytest.fixture
def release(tmp_path: Path) -> ModelRelease:
    """A release whose folder was uploaded, and does not lie among the releases."""
    uploaded = tmp_path / "uploaded"
    uploaded.mkdir()
    pq.write_table(USERS, uploaded / "assignments.parquet")
    hashed = sha256((uploaded / "assignments.parquet").read_bytes()).hexdigest()
    return replace(a_release(), artifacts={"assignments.parquet": hashed}, artifacts_uri=str(uploaded))


def test_they_are_in_the_folder_of_releases(release: ModelRelease, tmp_path: Path) -> None:
    (tmp_path / "uploaded").rename(tmp_path / release.version)

    assert published_assignments(release, tmp_path) == USERS


def test_else_they_are_where_they_were_uploaded_to(release: ModelRelease, tmp_path: Path) -> None:
    assert published_assignments(release, tmp_path) == USERS


def test_others_than_the_release_tells_of_are_passed_over(release: ModelRelease, tmp_path: Path) -> None:
    beside = tmp_path / release.version
    beside.mkdir()
    pq.write_table(USERS.slice(1), beside / "assignments.parquet")

    assert published_assignments(release, tmp_path) == USERS


def test_nowhere(release: ModelRelease, tmp_path: Path) -> None:
    assert published_assignments(replace(release, artifacts_uri=None), tmp_path) is None
