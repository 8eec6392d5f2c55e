"""Files of releases that were uploaded: read only below the address that the settings name, and up to a size.

The place of an upload stands in Kafka's record, where the hash that names the release does not cover it. Whoever
can write there could send the trainer to any address of its network.
"""

import re
from typing import Any

from fsspec.core import url_to_fs

from schemas.release.model_release import ModelRelease
from trainer.release.upload_release import place_of

# A release's file of training users has about 50 bytes a user.
MAX_BYTES = 1_000_000_000
_CHUNK = 1_000_000
_FOLDERS = re.compile(r"(/[A-Za-z0-9_=-][A-Za-z0-9._=-]*)+")


def place_below(release: ModelRelease, prefix: str) -> str | None:
    """Where a release was uploaded to; None where it was not, or not below the prefix.

    The address begins as the setting does, so that only its path comes from the record.

    Args:
        release: from Kafka.
        prefix: a directory's URL or path, as for :func:`~trainer.release.upload_release.upload`; empty allows nothing.

    Raises:
        BadSetting: the prefix is no URL that fsspec knows.
        NotInstalled: a package for such a store is not there.
    """
    if not prefix or release.artifacts_uri is None:
        return None
    base = place_of(release.version, prefix, "artifacts_prefix").removesuffix(f"/{release.version}")
    path = release.artifacts_uri.removeprefix(base)
    if path == release.artifacts_uri or not _FOLDERS.fullmatch(path):
        return None
    return f"{prefix.rstrip('/')}{path}" if path.rpartition("/")[2] == release.version else None


def read(url: str, most: int = MAX_BYTES) -> bytes | None:
    """The content of a file; None where it is not at hand, or has more than ``most`` bytes."""
    try:
        store, path = url_to_fs(url)
        with store.open(path, "rb") as file:
            return up_to(file, most)
    except Exception:  # noqa: BLE001 - each store raises its own; whatever the reason, it is not at hand
        return None


def up_to(file: Any, most: int) -> bytes | None:
    """The rest of a file, None where it has more bytes. In small parts: a store may give fewer bytes than it is asked for, and does not always know how many there are."""
    content = bytearray()
    while part := file.read(_CHUNK):
        content += part
        if len(content) > most:
            return None
    return bytes(content)
