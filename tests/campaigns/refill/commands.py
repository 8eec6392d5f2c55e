"""Run a command to its end, and measure its time and memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from resource import struct_rusage
from typing import Any

import msgspec

from tests.support.servers.deployment import Deployment

_DEADLINE_S = 3_600.0
_LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that succeeded.

    Attributes:
        out: the standard output.
        seconds: the time by the test's clock, with the start of the process.
        cpu_s: the CPU time, with the start of the process.
        peak_mb: the highest measured memory.
    """

    out: str
    seconds: float
    cpu_s: float
    peak_mb: float

    @property
    def told(self) -> dict[str, Any]:
        """The decoded output of a command with `--json`."""
        found: dict[str, Any] = msgspec.json.decode(self.out)
        return found


def ran(deployment: Deployment, *arguments: str) -> Ran:
    """Run `segue` with these arguments; return its output and measurements.

    Raises:
        AssertionError: the command failed, or did not end.
    """
    name = f"segue {' '.join(arguments)}"
    out, err = deployment.folder / "command.out", deployment.folder / "command.err"
    began_s = time.monotonic()
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "segue", *arguments],
            env=deployment.environment,
            cwd=deployment.folder,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
        )
    usage, peak_mb = _ended(process, began_s + _DEADLINE_S, name)
    seconds = time.monotonic() - began_s
    said, complained = out.read_text().strip(), err.read_text().strip()
    assert process.returncode == 0, f"{name} ended with {process.returncode}: {complained} {said[:1_000]}"
    return Ran(said, seconds, usage.ru_utime + usage.ru_stime, peak_mb)


def _ended(process: subprocess.Popen[bytes], deadline_s: float, name: str) -> tuple[struct_rusage, float]:
    """Wait for the end. Return the CPU time of this process and its highest memory, in MB."""
    peak_mb = 0.0
    while time.monotonic() < deadline_s:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return usage, peak_mb
        peak_mb = max(peak_mb, _peak_mb(process.pid))
        time.sleep(_LOOK_S)
    process.kill()
    raise AssertionError(f"{name} did not end within {_DEADLINE_S:,.0f} s")


def _peak_mb(pid: int) -> float:
    """Return the kernel's peak memory of a process; 0 after its end.

    (The resource usage would include the memory of the parent process.)
    """
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1_024
    return 0.0
