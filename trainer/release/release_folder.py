"""A release's folder: written whole or not at all, and believed only when every hash is right.

| file | what it is |
|---|---|
| ``manifest.json`` | each other file's SHA-256, when and with what it was made |
| ``model.json`` | the :class:`~schemas.release.model_release.ModelRelease`: all that a worker needs |
| ``pipeline.joblib`` | the fitted scikit-learn pipeline, for notebooks; never read here |
| ``report.html``, ``report.json`` | the report |
| ``features.sql`` | the query that ran |
| ``assignments.parquet`` | the training users: features, components, segment |
"""

import hashlib
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
from schemas.errors import BadRelease, BadSetting
from schemas.outputs.wire import decode_release, encode_release
from schemas.release.model_release import ModelRelease

MANIFEST, MODEL = "manifest.json", "model.json"
ASSIGNMENTS, REPORT = "assignments.parquet", "report.json"
ARTIFACTS = (ASSIGNMENTS, "features.sql", "pipeline.joblib", "report.html", REPORT)
_LIBRARIES = ("joblib", "numpy", "pandas", "scikit-learn")


class Manifest(Struct, frozen=True):
    """What lies in a release's folder.

    Attributes:
        version: the release's.
        created_at: an RFC 3339 time; the only thing that differs between two releases of the same data.
        files: each other file's SHA-256, by name.
        made_with: versions of Python and libraries; ``pipeline.joblib`` asks for the same scikit-learn.
    """

    version: str
    created_at: str
    files: dict[str, str]
    made_with: dict[str, str]


def check_writable(out: Path) -> None:
    """Try to write into the folder of releases, or into the one that it would be made in, before long work begins.

    Raises:
        BadSetting: nothing can be written to ``out``.
    """
    try:
        whole = out.absolute()
        nearest = next(folder for folder in (whole, *whole.parents) if folder.exists())
        with tempfile.TemporaryDirectory(dir=nearest, prefix=".release-"):
            pass
    except OSError as error:
        raise _unwritable(out, error) from None


def write_release(
    out: Path, release: ModelRelease, artifacts: Mapping[str, bytes], created_at: datetime
) -> Path:
    """Write a folder named by the release's version into ``out``, and give its path.

    A release is immutable: where that version already lies there, intact, it stays as it is.

    Args:
        out: the folder of releases; made when missing.
        release: the release; its ``artifacts`` are filled in here.
        artifacts: the content of each of :data:`ARTIFACTS`.
        created_at: the time in the manifest.

    Raises:
        BadRelease: the folder exists and is damaged.
        BadSetting: nothing can be written to ``out``.
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
    """Read a release after checking every file's hash. Nothing is unpickled.

    Raises:
        BadRelease: a file is missing, is not what the manifest says, or is no release; it is named.
    """
    manifest = read_manifest(folder)
    for name, expected in manifest.files.items():
        found = _sha256(_read(folder, name))
        if found != expected:
            raise BadRelease(
                f"{folder / name} was changed: its SHA-256 is {found}, but {MANIFEST} says {expected}; "
                "take the release from where it was made, or train again"
            )
    release = decode_release(_read(folder, MODEL))
    listed = {name: sha for name, sha in manifest.files.items() if name != MODEL}
    if release.version != manifest.version or release.artifacts != listed:
        raise BadRelease(
            f"{folder / MODEL} is of release {release.version} and {MANIFEST} of release {manifest.version}, or "
            "they list other files: take the release from where it was made, or train again"
        )
    return release


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a release's folder.

    Raises:
        BadRelease: there is none, it cannot be read, or it does not list the files of a release.
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
    """Write into a folder beside the target and rename it: nobody sees half a release."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".release-") as scratch:
        made = Path(scratch) / folder.name
        made.mkdir()
        for name, content in files.items():
            (made / name).write_bytes(content)
        try:
            made.rename(folder)
        except OSError:
            # Another trainer was first with the same version; what it wrote counts, if it is whole.
            if not folder.exists():
                raise
            load_release(folder)


def _unwritable(out: Path, error: OSError) -> BadSetting:
    return BadSetting(
        "out", str(out), f"nothing can be written there ({error.strerror}), name another folder"
    )


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise BadRelease(
            f"{folder / name} cannot be read ({error.strerror}): name the folder of a release, as `train` makes it"
        ) from None


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
