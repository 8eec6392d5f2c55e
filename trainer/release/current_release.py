"""The release in use, as a retrain needs it: the release to continue, and its training users."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.release.model_release import ModelRelease
from trainer.release.release_folder import ASSIGNMENTS, load_release
from trainer.release.uploaded_files import place_below, read
from trainer.steps.batch_scorer import score
from trainer.steps.rows_digest import digest


@dataclass(frozen=True, slots=True)
class Current:
    """The release that a new one follows.

    Attributes:
        release: its numbers.
        next_segment: an id above all segment ids of all published releases.
        assignments: its training users, with features by name and ``segment``; None if its folder is not
            available.
    """

    release: ModelRelease
    next_segment: int
    assignments: pa.Table | None = None


def current_from(folder: Path) -> Current:
    """Read the release in a folder.

    Raises:
        BadRelease: the folder is damaged or does not exist.
    """
    release = load_release(folder)
    return Current(release, release.next_segment, _assignments(release, [str(folder)]))


def published_assignments(release: ModelRelease, releases: Path, prefix: str) -> pa.Table | None:
    """The training users of a published release, from the folder of releases or from its upload.

    Args:
        release: a release from Kafka.
        releases: the folder of releases.
        prefix: uploads are read only below this address; empty: no upload is read.

    Returns:
        The users, with features by name and ``segment``; None if no unaltered file is available.

    Raises:
        BadSetting: the prefix cannot be used.
    """
    uploaded = place_below(release, prefix)
    return _assignments(release, [str(releases / release.version), *([uploaded] if uploaded else [])])


def _assignments(release: ModelRelease, folders: Sequence[str]) -> pa.Table | None:
    """The training users from the first folder (path or fsspec URL) with an unaltered file; None if there is
    none.
    """
    for folder in folders:
        content = read(f"{folder.rstrip('/')}/{ASSIGNMENTS}")
        if content is not None and hashlib.sha256(content).hexdigest() == release.artifacts.get(ASSIGNMENTS):
            users = _verified(release, content)
            if users is not None:
                return users
    return None


def _verified(release: ModelRelease, content: bytes) -> pa.Table | None:
    """The training users, if the release's version covers them; else None.

    The version covers the ids and features (``rows_sha256``) and the number of users. It does not cover the
    hash of the file, so a record on Kafka could name another file. So the segments are computed with the
    release and not read from the file.
    """
    try:
        if pq.read_metadata(io.BytesIO(content)).num_rows != release.training.users_used:
            return None
        table = pq.read_table(io.BytesIO(content))
        rows = table.select(range(table.num_columns - len(release.projection) - 1))
        if digest(rows) != release.training.rows_sha256:
            return None
    except (pa.ArrowException, KeyError, TypeError, ValueError):  # not a Parquet file, or not training rows
        return None
    return rows.append_column("segment", pa.array(score(release, rows).segments))
