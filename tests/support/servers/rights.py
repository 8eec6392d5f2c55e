"""Files without rights, even for a test that runs as root: root normally ignores the mode of a file."""

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
    """Set the mode of a file or folder during the block; the mode stops root, too."""
    former = path.stat().st_mode
    path.chmod(mode)
    try:
        with _modes_count():
            yield
    finally:
        path.chmod(former)


@contextmanager
def _modes_count() -> Iterator[None]:
    """Drop the capabilities by which root ignores modes, in this thread (Linux, capabilities(7))."""
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable: 32 bits each, and all three twice
    assert libc.capget(header, sets) == 0
    kept = sets[0]
    sets[0] = kept & ~(1 << _DAC_OVERRIDE | 1 << _DAC_READ_SEARCH)
    assert libc.capset(header, sets) == 0
    try:
        yield
    finally:
        sets[0] = kept
        assert libc.capset(header, sets) == 0
