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
    return Current(release, release.next_segment, assignments_of(release, [str(folder)]))


def assignments_of(release: ModelRelease, folders: Sequence[str]) -> pa.Table | None:
    """The training users of a release, from the first of these places that has them, unaltered.

    Args:
        release: whose ``artifacts`` tell their hash.
        folders: paths or URLs for fsspec where its folder may lie.
    """
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
