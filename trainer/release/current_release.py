"""The release in use, as a retrain needs it: what to continue, and whom to compare with."""

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
        next_segment: above every id that it or any other published release gives.
        assignments: its training users, with features by name and ``segment``; None where its folder is not
            at hand.
    """

    release: ModelRelease
    next_segment: int
    assignments: pa.Table | None = None


def current_from(folder: Path) -> Current:
    """The release in a folder.

    Raises:
        BadRelease: the folder is damaged or none.
    """
    release = load_release(folder)
    return Current(release, release.next_segment, _assignments(release, [str(folder)]))


def published_assignments(release: ModelRelease, releases: Path, prefix: str) -> pa.Table | None:
    """The training users of a published release, from a folder of releases or from where it was uploaded.

    Args:
        release: from Kafka.
        releases: the folder of releases.
        prefix: the address below which uploads are read; empty reads none.

    Raises:
        BadSetting: the prefix cannot be used.
    """
    uploaded = place_below(release, prefix)
    return _assignments(release, [str(releases / release.version), *([uploaded] if uploaded else [])])


def _assignments(release: ModelRelease, folders: Sequence[str]) -> pa.Table | None:
    """From the first of these places that has them, unaltered: paths or URLs for fsspec."""
    for folder in folders:
        content = read(f"{folder.rstrip('/')}/{ASSIGNMENTS}")
        if content is not None and hashlib.sha256(content).hexdigest() == release.artifacts.get(ASSIGNMENTS):
            users = _believed(release, content)
            if users is not None:
                return users
    return None


def _believed(release: ModelRelease, content: bytes) -> pa.Table | None:
    """The training users, if they are those whom the release's version covers; None else.

    The version covers ids and features (``rows_sha256``) and how many there are. It does not cover the file's own
    hash, so that a record could name another file: the segments are what the release gives them.
    """
    try:
        if pq.read_metadata(io.BytesIO(content)).num_rows != release.training.users_used:
            return None
        table = pq.read_table(io.BytesIO(content))
        rows = table.select(range(table.num_columns - len(release.projection) - 1))
        if digest(rows) != release.training.rows_sha256:
            return None
    except (pa.ArrowException, KeyError, TypeError, ValueError):  # no Parquet, or no rows of a training
        return None
    return rows.append_column("segment", pa.array(score(release, rows).segments))
