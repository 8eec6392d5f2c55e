"""CPU time and peak memory of a process and its children, as the system counts them (Linux's ``/proc``)."""

import os
from collections.abc import Iterator
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
# The fields of /proc/PID/stat after the name in brackets; man 5 proc counts them from 1, the name is 2.
_PARENT, _USER, _SYSTEM, _OF_ENDED_USER, _OF_ENDED_SYSTEM = (number - 3 for number in (4, 14, 15, 16, 17))


def cpu_seconds(pid: int) -> float:
    """The CPU seconds of a process, its living and its ended children, in steps of a tick (10 ms)."""
    ticks = 0
    for each in (pid, *_children(pid)):
        fields = _stat(each)
        if fields:
            ticks += sum(int(fields[field]) for field in (_USER, _SYSTEM, _OF_ENDED_USER, _OF_ENDED_SYSTEM))
    return ticks * _TICK_S


def peak_mb(pid: int) -> float:
    """The most memory that a process and its children have held, in MB (10**6 bytes)."""
    kibibytes = 0
    for each in (pid, *_children(pid)):
        try:
            lines = Path(f"/proc/{each}/status").read_text(encoding="utf-8").splitlines()
        except OSError:
            continue
        kibibytes += sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    return kibibytes * 1024 / 1e6


def _children(pid: int) -> list[int]:
    """All living descendants."""
    parents = {each: int(fields[_PARENT]) for each in _pids() if (fields := _stat(each))}
    found, left = [], [pid]
    while left:
        parent = left.pop()
        mine = [each for each, of in parents.items() if of == parent]
        found += mine
        left += mine
    return found


def _pids() -> Iterator[int]:
    return (int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal())


def _stat(pid: int) -> list[str]:
    """The fields after the name; empty if the process has ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    # The name may contain spaces and brackets.
    return text.rpartition(")")[2].split()
