"""Files without rights, also for a test that runs as root, whom their mode does not stop."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_VERSION_3 = 0x20080522
_DAC_OVERRIDE, _DAC_READ_SEARCH = 1, 2


@contextmanager
def without_rights(path: Path, mode: int = 0) -> Iterator[None]:
    """While the block lasts, this file or folder has this mode, and it counts for root, too."""
    former = path.stat().st_mode
    path.chmod(mode)
    try:
        with _modes_count():
            yield
    finally:
        path.chmod(former)


@contextmanager
def _modes_count() -> Iterator[None]:
    """Take from this thread what lets root pass over modes (capabilities(7)); Linux alone has it."""
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; each of 32 bits, twice
    assert libc.capget(header, sets) == 0
    kept = sets[0]
    sets[0] = kept & ~(1 << _DAC_OVERRIDE | 1 << _DAC_READ_SEARCH)
    assert libc.capset(header, sets) == 0
    try:
        yield
    finally:
        sets[0] = kept
        assert libc.capset(header, sets) == 0
