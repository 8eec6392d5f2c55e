"""The release in use, as a retrain needs it: what to continue, and whom to compare with."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.core import url_to_fs

from schemas.release import ModelRelease
from trainer.release import ASSIGNMENTS, load_release


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


def published_assignments(release: ModelRelease, releases: Path) -> pa.Table | None:
    """The training users of a published release, from a folder of releases or from where it was uploaded."""
    uploaded = [release.artifacts_uri] if release.artifacts_uri else []
    return _assignments(release, [str(releases / release.version), *uploaded])


def _assignments(release: ModelRelease, folders: Sequence[str]) -> pa.Table | None:
    """From the first of these places that has them, unaltered: paths or URLs for fsspec."""
    for folder in folders:
        content = _read(f"{folder.rstrip('/')}/{ASSIGNMENTS}")
        if content is not None and hashlib.sha256(content).hexdigest() == release.artifacts.get(ASSIGNMENTS):
            return pq.read_table(io.BytesIO(content))
    return None


def _read(url: str) -> bytes | None:
    try:
        store, path = url_to_fs(url)
        return bytes(store.cat_file(path))
    except Exception:  # noqa: BLE001 - each store raises its own; whatever the reason, it is not at hand
        return None
