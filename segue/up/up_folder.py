"""The folder of `segue up`. One file in it is its marker, its lock and its memory of the ports."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec

from schemas.errors import DISK_FULL, NoRoom
from segue.config.command_line import bad_option
from segue.services.process.service_trouble import ServiceTrouble

MARKER = "segue-up.json"
"""Only `segue up` makes a file with this name, so a folder with this file is ours."""

Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]


class Ports(msgspec.Struct, frozen=True):
    """The ports for clients."""

    kafka: Port
    redis: Port


class _Marker(msgspec.Struct, frozen=True):
    """The content of the marker.

    Attributes:
        pid: the process that uses the folder; None after an end in order.
        ports: the ports of the last run.
    """

    pid: int | None = None
    ports: Ports | None = None


class UpFolder:
    """A folder that this process has locked.

    Attributes:
        was_killed: whether the last run was killed; its servers may live for a moment longer.
    """

    def __init__(self, path: Path, marker: int) -> None:
        self._path = path
        self._marker = marker
        last = _read(marker)
        self._ports = last.ports
        self.was_killed = last.pid is not None
        self._write(os.getpid())
        _remove(self._removed)  # a killed run may have left it

    @property
    def ports(self) -> Ports | None:
        """The ports of the last run; None before the first run."""
        return self._ports

    @property
    def _data(self) -> Path:
        return self._path / "data"

    @property
    def _removed(self) -> Path:
        return self._path / "removed"

    def remember(self, ports: Ports) -> None:
        """Store the ports for the next run."""
        self._ports = ports
        self._write(os.getpid())

    def server(self, name: str) -> Path:
        """Return the folder of this server's data, configuration and log, with an absolute path."""
        folder = self._data / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def remove_data(self) -> None:
        """Remove the data of both servers, and no other file.

        They are renamed first, so that a kill cannot leave the data of only one server.

        Raises:
            ServiceTrouble: the data cannot be removed.
        """
        if not self._data.exists():
            return
        if self._data.is_symlink():
            raise ServiceTrouble(
                f"{self._data} is a link, and segue up made no link: remove what it names yourself"
            )
        self._data.rename(self._removed)
        _remove(self._removed)

    def release(self) -> None:
        """Note an end in order."""
        self._write(None)

    def _write(self, pid: int | None) -> None:
        # In place: a renamed file would not be the locked file.
        text = msgspec.json.encode(_Marker(pid, self._ports)) + b"\n"
        os.pwrite(self._marker, text, 0)
        os.ftruncate(self._marker, len(text))


@contextmanager
def locked(folder: Path) -> Iterator[UpFolder]:
    """Make the folder, or recognise it, and lock it for this process.

    The kernel releases the lock at the end of this process, also after SIGKILL.

    Raises:
        BadUsage: the folder cannot be used, or holds files and is not ours.
        NoRoom: its disk is full.
        ServiceTrouble: another process has the folder.
    """
    path = folder.absolute()
    try:
        marker = _open_marker(path, folder)
    except OSError as error:
        if error.errno in DISK_FULL:
            raise NoRoom(
                f"no room in {folder} ({error.strerror}): make room, or give another folder"
            ) from None
        raise bad_option("--data", str(folder), f"{error.strerror}: give another folder") from None
    try:
        try:
            fcntl.flock(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _taken(folder, _read(marker).pid) from None
        ours = UpFolder(path, marker)
        try:
            yield ours
        finally:
            ours.release()
    finally:
        os.close(marker)


def _open_marker(path: Path, folder: Path) -> int:
    path.mkdir(parents=True, exist_ok=True)
    if not (path / MARKER).exists() and any(path.iterdir()):
        fix = "it has files that segue up did not make: give a new or an empty folder"
        raise bad_option("--data", str(folder), fix)
    marker = os.open(path / MARKER, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    ignored = path / ".gitignore"
    if not ignored.exists():
        ignored.write_text("*\n")
    return marker


def _taken(folder: Path, pid: int | None) -> ServiceTrouble:
    process = "another process" if pid is None else f"process {pid}"
    return ServiceTrouble(
        f"{process} runs segue up in {folder} already: use its servers, end it, or give another folder"
        " with --data"
    )


def _read(marker: int) -> _Marker:
    """Return the marker's content; an empty or changed file has no ports."""
    try:
        return msgspec.json.decode(os.pread(marker, 4_096, 0), type=_Marker)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Marker()


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        raise ServiceTrouble(f"{folder} cannot be removed: {error.strerror or error}") from None
