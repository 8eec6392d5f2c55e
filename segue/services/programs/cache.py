"""The cache of downloads, which several runs share."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_dir() -> Path:
    """Return `$XDG_CACHE_HOME/segue`, or `~/.cache/segue`."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "segue"


def is_cached(name: str) -> bool:
    """Whether the cache has this folder."""
    return (cache_dir() / name).is_dir()


def cached_folder(name: str, fill: Callable[[Path], None]) -> Path:
    """Return the folder `name` of the cache; if it is missing, `fill` fills it first.

    The folder appears with all its files or not at all: `fill` writes into a temporary folder, which is then
    renamed. One run at a time fills the folder; other runs wait.
    """
    folder = cache_dir() / name
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(folder.with_name(f"{name}.lock")):
        if folder.is_dir():  # another run filled it while this one waited
            return folder
        unfinished = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=folder.parent))
        try:
            fill(unfinished)
            unfinished.rename(folder)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
    return folder


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold an advisory lock; the kernel releases it at the end of the process, also after a crash."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
