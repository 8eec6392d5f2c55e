"""Writes and reads a release's folder: written as a whole or not at all, read only if every hash is right.

| file | content |
|---|---|
| ``manifest.json`` | SHA-256 of each other file, time, versions of Python and libraries |
| ``model.json`` | the :class:`~schemas.release.model_release.ModelRelease`: all numbers that a worker needs |
| ``pipeline.joblib`` | the fitted scikit-learn pipeline, for notebooks; never read here |
| ``report.html``, ``report.json`` | the report |
| ``features.sql`` | the query that ran |
| ``assignments.parquet`` | the training users: features, components, segment |
"""

import hashlib
import os
import platform
import tempfile
from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from schemas import times
from schemas.errors import DISK_FULL, BadRelease, BadSetting, NoRoom, SegueError
from schemas.outputs.wire import decode_release, encode_release
from schemas.release.model_release import ModelRelease

_PROBE_BYTES = 1 << 20  # about a small release
MANIFEST, MODEL = "manifest.json", "model.json"
ASSIGNMENTS, REPORT = "assignments.parquet", "report.json"
ARTIFACTS = (ASSIGNMENTS, "features.sql", "pipeline.joblib", "report.html", REPORT)
_LIBRARIES = ("joblib", "numpy", "pandas", "scikit-learn")


class Manifest(Struct, frozen=True):
    """The manifest of a release's folder.

    Attributes:
        version: the version of the release.
        created_at: an RFC 3339 time; only this differs between two releases of the same data.
        files: the SHA-256 of each other file, by name.
        made_with: versions of Python and libraries; ``pipeline.joblib`` needs the same scikit-learn.
    """

    version: str
    created_at: str
    files: dict[str, str]
    made_with: dict[str, str]


def check_writable(out: Path) -> None:
    """Check, before long work begins, that a release can be written to ``out`` (or to its nearest existing
    parent).

    Raises:
        BadSetting: nothing can be written to ``out``.
        NoRoom: its disk is full.
    """
    try:
        whole = out.absolute()
        nearest = next(folder for folder in (whole, *whole.parents) if folder.exists())
        with tempfile.TemporaryDirectory(dir=nearest, prefix=".release-") as scratch:
            (Path(scratch) / "probe").write_bytes(os.urandom(_PROBE_BYTES))
    except OSError as error:
        raise _unwritable(out, error) from None


def write_release(
    out: Path, release: ModelRelease, artifacts: Mapping[str, bytes], created_at: datetime
) -> Path:
    """Write the release's folder into ``out``; return its path.

    The version names the folder. A release is immutable: an intact folder of this version stays as it is.

    Args:
        out: the folder of releases; created if missing.
        release: the release; its ``artifacts`` are filled in here.
        artifacts: the content of each file in :data:`ARTIFACTS`, by name.
        created_at: the time in the manifest.

    Returns:
        The folder of the release.

    Raises:
        BadRelease: the folder exists and is damaged.
        BadSetting: nothing can be written to ``out``.
        NoRoom: its disk is full.
    """
    folder = out / release.version
    try:
        made_before = folder.exists()
    except OSError as error:
        raise _unwritable(out, error) from None
    if made_before:
        load_release(folder)
        return folder
    assert sorted(artifacts) == list(ARTIFACTS)
    hashes = {name: _sha256(content) for name, content in sorted(artifacts.items())}
    files = {**artifacts, MODEL: encode_release(replace(release, artifacts=hashes)) + b"\n"}
    manifest = Manifest(
        version=release.version,
        created_at=times.text(created_at),
        files={name: _sha256(files[name]) for name in sorted(files)},
        made_with={"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}},
    )
    files[MANIFEST] = msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"
    try:
        _write_whole(folder, files)
    except OSError as error:
        raise _unwritable(out, error) from None
    return folder


def load_release(folder: Path) -> ModelRelease:
    """Read a release after checking the hash of every file. Nothing is unpickled.

    Raises:
        BadRelease: a file is missing, was changed, or is not a release. The message names the file.
    """
    manifest = read_manifest(folder)
    for name, expected in manifest.files.items():
        found = _sha256(_read(folder, name))
        if found != expected:
            raise BadRelease(
                f"{folder / name} was changed: its SHA-256 is {found}, but {MANIFEST} says {expected}; "
                "copy the release again from the machine that made it, or train again"
            )
    release = decode_release(_read(folder, MODEL))
    listed = {name: sha for name, sha in manifest.files.items() if name != MODEL}
    if release.version != manifest.version or release.artifacts != listed:
        raise BadRelease(
            f"{folder / MODEL} is of release {release.version} and {MANIFEST} of release {manifest.version}, "
            "or they list different files: copy the release again from the machine that made it, or train "
            "again"
        )
    return release


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a release's folder.

    Raises:
        BadRelease: it is missing, it cannot be read, or it does not list the files of a release.
    """
    try:
        manifest = msgspec.json.decode(_read(folder, MANIFEST), type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadRelease(f"{folder / MANIFEST} cannot be read: {error}; train again") from None
    expected = {*ARTIFACTS, MODEL}
    if set(manifest.files) != expected:
        differing = ", ".join(sorted(set(manifest.files) ^ expected))
        raise BadRelease(
            f"{folder / MANIFEST} lists other files than a release has ({differing}); train again"
        )
    return manifest


def _write_whole(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write into a temporary folder and rename it, so that nobody sees half a release."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".release-") as scratch:
        made = Path(scratch) / folder.name
        made.mkdir()
        for name, content in files.items():
            (made / name).write_bytes(content)
        try:
            made.rename(folder)
        except OSError:
            # Another trainer has written the same version first; its folder counts if it is whole.
            if not folder.exists():
                raise
            load_release(folder)


def _unwritable(out: Path, error: OSError) -> SegueError:
    if error.errno in DISK_FULL:
        return NoRoom(f"no room for a release in {out} ({error.strerror}): make room, or name another folder")
    return BadSetting(
        "out", str(out), f"nothing can be written there ({error.strerror}), name another folder"
    )


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise BadRelease(
            f"{folder / name} cannot be read ({error.strerror}): name the folder of a release, as `train` "
            "makes it"
        ) from None


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
