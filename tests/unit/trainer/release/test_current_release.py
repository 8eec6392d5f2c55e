"""Where the training users of a published release are found, and which of them are believed."""

import io
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from schemas.release.model_release import ModelRelease, version_of
from tests.support.worlds.made_up_release import a_release
from trainer.release import uploaded_files
from trainer.release.current_release import published_assignments
from trainer.steps.batch_scorer import score
from trainer.steps.rows_digest import digest

ROWS = pa.table(
    {
        "user_id": ["7", "8"],
        "age": [20.0, 60.0],
        "gender": ["F", "M"],
        "country": ["Spain", "Spain"],
        "traffic_source": ["Email", "Search"],
        "total_orders": [1.0, 5.0],
        "most_frequent_brand": ["Ön", "Carhartt"],
        "most_frequent_category": ["Jeans", "Socks"],
    }
)


def with_scores(rows: pa.Table, release: ModelRelease) -> pa.Table:
    """As a training writes them."""
    scored = score(release, rows)
    for place, column in enumerate(scored.components.T, start=1):
        rows = rows.append_column(f"component_{place}", pa.array(column.copy()))
    return rows.append_column("segment", pa.array(scored.segments))


def parquet(table: pa.Table) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file)
    return file.getvalue()


def trained() -> ModelRelease:
    bare = a_release()
    training = replace(bare.training, users_read=2, users_used=2, rows_sha256=digest(ROWS))
    release = replace(bare, training=training)
    return replace(release, version=version_of(release))


USERS = with_scores(ROWS, trained())
BELIEVED = ROWS.append_column("segment", USERS["segment"])


def lying(release: ModelRelease, folder: Path, users: pa.Table = USERS) -> ModelRelease:
    """The release, as it is published when its users were uploaded to a folder."""
    folder.mkdir(parents=True)
    content = parquet(users)
    (folder / "assignments.parquet").write_bytes(content)
    hashed = sha256(content).hexdigest()
    return replace(release, artifacts={"assignments.parquet": hashed}, artifacts_uri=f"file://{folder}")


@pytest.fixture
def release(tmp_path: Path) -> ModelRelease:
    """A release whose folder was uploaded, and does not lie among the releases."""
    return lying(trained(), tmp_path / "store" / trained().version)


def test_they_are_in_the_folder_of_releases(release: ModelRelease, tmp_path: Path) -> None:
    assert published_assignments(release, tmp_path / "store", "") == BELIEVED


@pytest.mark.parametrize("prefix", ["{0}/store", "{0}/store/", "file://{0}/store", "file://{0}", "{0}"])
def test_else_they_are_where_they_were_uploaded_to(
    release: ModelRelease, tmp_path: Path, prefix: str
) -> None:
    assert published_assignments(release, tmp_path, prefix.format(tmp_path)) == BELIEVED


def test_others_than_the_release_tells_of_are_passed_over(release: ModelRelease, tmp_path: Path) -> None:
    beside = tmp_path / release.version
    beside.mkdir()
    (beside / "assignments.parquet").write_bytes(parquet(USERS.slice(1)))

    assert published_assignments(release, tmp_path, str(tmp_path / "store")) == BELIEVED


def test_nowhere(release: ModelRelease, tmp_path: Path) -> None:
    assert published_assignments(replace(release, artifacts_uri=None), tmp_path, str(tmp_path)) is None


@pytest.mark.parametrize(
    "uri",
    [
        "http://169.254.169.254/latest/meta-data/{version}",
        "file:///etc/{version}",
        "s3://models/segue-other/{version}",
        "s3://models/segue/../other/{version}",
        "s3://models/segue/a/%2e%2e/{version}",
        "s3://models/segue/x::http://169.254.169.254/{version}",
        "s3://models/segue/{version}?x=/{version}",
        "s3://models/segue/{version}/",
        "s3://models/segue/another",
        "s3://models/segue//{version}",
        "s3://models/segue@evil/{version}",
        "S3://models/segue/{version}",
        "",
    ],
)
@pytest.mark.parametrize("prefix", ["s3://models/segue", "s3://models/segue/", ""])
def test_no_other_address_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, uri: str, prefix: str
) -> None:
    asked = asked_for(monkeypatch)
    monkeypatch.setattr(uploaded_files, "place_of", lambda version, to, _: f"{to.rstrip('/')}/{version}")
    release = trained()
    forged = replace(release, artifacts_uri=uri.format(version=release.version))

    assert published_assignments(forged, tmp_path, prefix) is None

    assert asked == [f"{tmp_path}/{release.version}/assignments.parquet"]


def test_the_login_is_the_settings_and_the_path_below_it_the_records(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = asked_for(monkeypatch)
    release = trained()
    moved = replace(release, artifacts_uri=f"ftp://shop/models/eu/{release.version}")
    monkeypatch.setattr(
        uploaded_files, "place_of", lambda version, _to, _setting: f"ftp://shop/models/{version}"
    )

    published_assignments(moved, tmp_path, "ftp://me:secret@shop/models")

    assert asked[1:] == [f"ftp://me:secret@shop/models/eu/{release.version}/assignments.parquet"]


def asked_for(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every address that is opened from now on; nothing is found there."""
    asked: list[str] = []

    def refuse(url: str) -> None:
        asked.append(url)
        raise OSError

    monkeypatch.setattr(uploaded_files, "url_to_fs", refuse)
    return asked


def test_a_file_without_end_is_left_at_the_bound(release: ModelRelease, tmp_path: Path) -> None:
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            assert 0 < size <= 1_000_000
            self.given += size
            return bytes(size)

    endless = Endless()
    assert uploaded_files.up_to(endless, 3_500_000) is None
    assert endless.given == 4_000_000
    file = tmp_path / "store" / release.version / "assignments.parquet"
    size = file.stat().st_size
    assert uploaded_files.read(str(file), size) == file.read_bytes()
    assert uploaded_files.read(str(file), size - 1) is None


def replaced(name: str, values: list[object]) -> Callable[[], pa.Table]:
    place = USERS.column_names.index(name)
    return lambda: USERS.set_column(place, name, pa.array(values, USERS[name].type))


FORGED: dict[str, Callable[[], pa.Table]] = {
    "a feature": replaced("age", [20.0, 61.0]),
    "an id": replaced("user_id", ["7", "9"]),
    "a user more": lambda: pa.concat_tables([USERS, USERS.slice(1)]),
    "a user less": lambda: USERS.slice(1),
    "a column less": lambda: USERS.drop_columns(["age"]),
    "a list": lambda: USERS.set_column(1, "age", pa.array([[1.0], [2.0]])),
    "a name twice": lambda: USERS.rename_columns(["age" if n == "gender" else n for n in USERS.column_names]),
    "no columns": lambda: USERS.select([]),
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED.keys())
def test_users_whom_the_version_does_not_cover_are_not_believed(
    tmp_path: Path, forge: Callable[[], pa.Table]
) -> None:
    """The record names the forged file's own hash, which the version does not cover."""
    release = lying(trained(), tmp_path / trained().version, forge())

    assert release.version == version_of(release)
    assert published_assignments(release, tmp_path, "") is None


def test_a_file_of_more_users_than_were_trained_is_not_inflated(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    release = lying(trained(), tmp_path / trained().version, FORGED["a user more"]())
    monkeypatch.setattr(pq, "read_table", lambda _: pytest.fail("it was read"))

    assert published_assignments(release, tmp_path, "") is None


@pytest.mark.parametrize(
    "forge", [replaced("segment", [3, 3]), replaced("component_1", [0.0, 0.0])], ids=["segment", "component"]
)
def test_segments_are_what_the_release_gives(tmp_path: Path, forge: Callable[[], pa.Table]) -> None:
    release = lying(trained(), tmp_path / trained().version, forge())

    assert published_assignments(release, tmp_path, "") == BELIEVED


def test_what_is_no_parquet_is_passed_over(tmp_path: Path) -> None:
    release = lying(trained(), tmp_path / trained().version)
    (tmp_path / release.version / "assignments.parquet").write_bytes(b"PAR1 no")
    hashed = sha256(b"PAR1 no").hexdigest()

    assert (
        published_assignments(replace(release, artifacts={"assignments.parquet": hashed}), tmp_path, "")
        is None
    )
