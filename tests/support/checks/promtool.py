"""Asks Prometheus' own tool."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def promtool(*words: str, folder: Path, text: str = "") -> None:
    """Let `promtool` check something; any complaint fails the test, also one that is only advice.

    Args:
        words: its arguments.
        folder: where the files that it reads are.
        text: what it reads from standard input.
    """
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("no promtool on this machine (Debian's package prometheus has it)")
    done = subprocess.run(
        [program, *words], cwd=folder, input=text, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.strip()) == (0, ""), done.stdout + done.stderr
