"""Uploads a release's folder to any store that fsspec knows."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from fsspec.core import url_to_fs

from schemas.errors import BadSetting, NotInstalled, Unreachable
from trainer.release.release_folder import ARTIFACTS, MANIFEST, MODEL


def upload(folder: Path, version: str, to: str) -> str:
    """Copy the release's files to ``to`` / version; return that place as a URL without a password.

    The manifest is written last: if it is there, the release is complete.

    Args:
        folder: the release's folder, verified.
        version: the release's version.
        to: the URL or path of a directory.

    Raises:
        BadSetting: fsspec does not know the URL in ``to``.
        NotInstalled: a package for this store is not installed.
        Unreachable: the store does not accept a file.
    """
    shown = _public(to)
    store, target = _target(version, to)
    try:
        store.makedirs(target, exist_ok=True)
        for name in (*ARTIFACTS, MODEL, MANIFEST):
            store.put_file(str(folder / name), f"{target}/{name}")
    except Exception as error:  # noqa: BLE001 - each store raises its own; none of them is a bug here
        raise Unreachable(
            f"release {version} cannot be written to {shown} ({_told(error, to)}): check the URL and the "
            "login; nothing was published"
        ) from None
    return _url(store, target, version, to)


def place_of(version: str, to: str, setting: str = "to") -> str:
    """The place that :func:`upload` would return, without connecting to the store.

    Args:
        version: the release's version.
        to: the URL or path of a directory.
        setting: the setting that an error names.

    Raises:
        BadSetting: fsspec does not know the URL in ``to``.
        NotInstalled: a package for this store is not installed.
    """
    return _url(*_target(version, to, setting), version, to)


def _target(version: str, to: str, setting: str = "to") -> tuple[Any, str]:
    """The store, and the path of the folder in it."""
    try:
        store, root = url_to_fs(to)
    except ImportError as error:
        raise NotInstalled(
            f"{_public(to)} cannot be opened, since a package is not installed: {_told(error, to)}"
        ) from None
    except ValueError as error:
        raise BadSetting(
            setting, _public(to), f"fsspec cannot open that place ({_told(error, to)})"
        ) from None
    return store, f"{root.rstrip('/')}/{version}"


def _url(store: Any, target: str, version: str, to: str) -> str:
    return f"{_public(to).rstrip('/')}/{version}" if "://" in to else str(store.unstrip_protocol(target))


def _public(url: str) -> str:
    """The URL without user and password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])) if "@" in parts.netloc else url


def _told(error: Exception, to: str) -> str:
    return (str(error) or type(error).__name__).replace(to, _public(to))
