"""The example's receiver and the command under it end together."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
COMMAND = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print("runs", flush=True)
signal.pause()
"""


def test_sigterm_ends_the_command_too() -> None:
    with subprocess.Popen(
        [sys.executable, ROOT / "examples/shop/receiver.py", sys.executable, "-c", COMMAND],
        stdout=subprocess.PIPE,
        text=True,
    ) as receiver:
        assert receiver.stdout is not None
        assert receiver.stdout.readline() == "runs\n"
        receiver.send_signal(signal.SIGTERM)
        assert receiver.stdout.read() == ""  # no process holds it open any more
    assert receiver.returncode == 7
