"""A disk that fills up and has room again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.servers.services import eventually


class Disk:
    """A folder, on a file system of its own in memory where one may be mounted.

    Attributes:
        can_fill: whether it is one.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.can_fill = False

    @contextmanager
    def mounted(self) -> Iterator[None]:
        """It is there meanwhile."""
        self.folder.mkdir(exist_ok=True)
        self.can_fill = _done("mount", "-t", "tmpfs", "tmpfs", self.folder)
        try:
            yield
        finally:
            if self.can_fill:
                _done("umount", "--lazy", self.folder)

    @contextmanager
    def full(self) -> Iterator[None]:
        """It has no room for another page meanwhile."""
        try:
            # What is written between the look and the cut makes the cut fail.
            eventually(self._cut, f"{self.folder} is full")
            yield
        finally:
            self._resize("50%")

    def _cut(self) -> bool:
        found = os.statvfs(self.folder)
        used = (found.f_blocks - found.f_bfree) * found.f_frsize
        return self._resize(str(used)) and os.statvfs(self.folder).f_bfree == 0

    def _resize(self, size: str) -> bool:
        return _done("mount", "-o", f"remount,size={size}", self.folder)


def _done(*command: str | Path) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:  # there is no such command here
        return False
