"""Reads files of uploaded releases: only below the address in the settings, and only up to a maximum size.

The place of an upload is in the Kafka record, and the release's hash does not cover it. Without this limit,
anyone who can write to the topic could make the trainer open any address in its network.
"""

import re
from typing import Any

from fsspec.core import url_to_fs

from schemas.release.model_release import ModelRelease
from trainer.release.upload_release import place_of

# A file of training users has about 50 bytes for each user.
MAX_BYTES = 1_000_000_000
_CHUNK = 1_000_000
_FOLDERS = re.compile(r"(/[A-Za-z0-9_=-][A-Za-z0-9._=-]*)+")


def place_below(release: ModelRelease, prefix: str) -> str | None:
    """The place of a release's upload; None if it was not uploaded, or not below the prefix.

    The returned address begins with the setting, so only its path comes from the record.

    Args:
        release: a release from Kafka.
        prefix: the URL or path of a directory, as for :func:`~trainer.release.upload_release.upload`; empty:
            no place is allowed.

    Raises:
        BadSetting: fsspec does not know the URL in ``prefix``.
        NotInstalled: a package for this store is not installed.
    """
    if not prefix or release.artifacts_uri is None:
        return None
    base = place_of(release.version, prefix, "artifacts_prefix").removesuffix(f"/{release.version}")
    path = release.artifacts_uri.removeprefix(base)
    if path == release.artifacts_uri or not _FOLDERS.fullmatch(path):
        return None
    return f"{prefix.rstrip('/')}{path}" if path.rpartition("/")[2] == release.version else None


def read(url: str, most: int = MAX_BYTES) -> bytes | None:
    """The content of a file; None if it cannot be read, or if it has more than ``most`` bytes."""
    try:
        store, path = url_to_fs(url)
        with store.open(path, "rb") as file:
            return up_to(file, most)
    except Exception:  # noqa: BLE001 - each store raises its own; for any of them the file counts as missing
        return None


def up_to(file: Any, most: int) -> bytes | None:
    """The rest of a file; None if it has more than ``most`` bytes.

    The file is read in small parts: a store may return fewer bytes than requested and may not know its size.
    """
    content = bytearray()
    while part := file.read(_CHUNK):
        content += part
        if len(content) > most:
            return None
    return bytes(content)
