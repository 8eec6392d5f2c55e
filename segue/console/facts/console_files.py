"""The files that the console may read: releases, and the declared triggers."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from schemas.errors import BadRelease
from schemas.outputs.wire import decode_release
from schemas.release.model_release import ModelRelease
from segue.rehearsal.kept_rehearsal import KeptRehearsal, kept_rehearsal
from trainer.release.release_folder import MODEL, REPORT, read_manifest

PAGE = "report.html"
_VERSION = re.compile(r"[0-9a-f]{12}")


class Pair(Struct, frozen=True):
    """How many users go from one segment to another."""

    previous: int
    segment: int
    users: int


class Moves(Struct, frozen=True):
    """The compared users, and those who move."""

    users: int
    pairs: tuple[Pair, ...]

    @property
    def moved(self) -> int:
        """How many users move."""
        return sum(pair.users for pair in self.pairs)

    @property
    def share(self) -> float:
        """The share of the users who move."""
        return self.moved / self.users if self.users else 0.0


class Impact(Struct, frozen=True):
    """What the report says of the users who move, against the release that was current at the training."""

    current: str
    names: Mapping[int, str]
    by_model: Moves | None
    by_behaviour: Moves | None


Scatter = tuple[tuple[tuple[float, float], ...], ...]
"""The first two components of some training users; shape (segments, users, 2)."""


class _Report(Struct):
    impact: Impact | None = None
    scatter: Scatter = ()


class FolderRelease(Struct, frozen=True):
    """A release in the folder of releases, and when it was made."""

    release: ModelRelease
    created_at: str


class ConsoleFiles(Struct, frozen=True):
    """The files that the console's options name.

    Attributes:
        releases: the folder of releases; it may not exist.
        triggers: the file of triggers; None without one.
        warehouse: where the orders are, to report on the triggers; None without one.
    """

    releases: Path
    triggers: Path | None = None
    warehouse: str | None = None

    def folder_of(self, version: str) -> Path | None:
        """Return a release's folder; None if there is none."""
        if not _VERSION.fullmatch(version):
            return None
        folder = self.releases / version
        return folder if folder.is_dir() else None

    def found(self) -> tuple[FolderRelease, ...]:
        """Return the releases in the folder, the newest first; a folder that cannot be read is left out."""
        made = []
        with suppress(OSError):
            for folder in self.releases.iterdir():
                if _VERSION.fullmatch(folder.name):
                    with suppress(BadRelease, OSError):
                        release = decode_release((folder / MODEL).read_bytes())
                        made.append(FolderRelease(release, read_manifest(folder).created_at))
        return tuple(sorted(made, key=lambda each: _time(each.created_at), reverse=True))

    def page(self, release: ModelRelease) -> bytes | None:
        """Return a release's report page; None if there is none, or if it is not the release's own."""
        return self._file(release, PAGE)

    def impact(self, release: ModelRelease) -> Impact | None:
        """Return the impact in a release's report; None if there is none."""
        return self._report(release).impact

    def scatter(self, release: ModelRelease) -> Scatter:
        """Return some training users of a release, by its segments; empty if there are none."""
        return self._report(release).scatter

    def rehearsal(self, version: str) -> KeptRehearsal | None:
        """Return a release's newest rehearsal; None if it was not rehearsed here."""
        return kept_rehearsal(self.releases, version)

    def _report(self, release: ModelRelease) -> _Report:
        content = self._file(release, REPORT)
        if content is None:
            return _Report()
        try:
            return msgspec.json.decode(content, type=_Report)
        except msgspec.MsgspecError:
            return _Report()

    def _file(self, release: ModelRelease, name: str) -> bytes | None:
        folder = self.folder_of(release.version)
        if folder is None:
            return None
        try:
            content = (folder / name).read_bytes()
        except OSError:
            return None
        return content if hashlib.sha256(content).hexdigest() == release.artifacts.get(name) else None


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
