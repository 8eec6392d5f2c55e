"""A disk that a campaign can fill up and free again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.servers.services import eventually


class Disk:
    """A folder, on a separate file system in memory if this process may mount.

    Attributes:
        can_fill: whether the folder is a separate file system.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.can_fill = False

    @contextmanager
    def mounted(self) -> Iterator[None]:
        """Create the folder and mount it during the context."""
        self.folder.mkdir(exist_ok=True)
        self.can_fill = _done("mount", "-t", "tmpfs", "tmpfs", self.folder)
        try:
            yield
        finally:
            if self.can_fill:
                _done("umount", "--lazy", self.folder)

    @contextmanager
    def full(self) -> Iterator[None]:
        """Keep the disk without a free page during the context."""
        try:
            # A write between the measurement and the cut makes the cut fail.
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
    except OSError:  # the command is not installed
        return False
