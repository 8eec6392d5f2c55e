"""A command whose standard streams are closed: no file of its own takes their numbers."""

from __future__ import annotations

import subprocess
import sys

import pytest

_PROGRAM = """
import os, sys
from segue.standard_streams import open_missing_streams
open_missing_streams()
print("said")
print("said", file=sys.stderr)
sys.stdin.read()
assert all(os.get_inheritable(number) for number in (0, 1, 2))
with open(os.devnull) as file:
    sys.exit(file.fileno())
"""


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_the_next_file_gets_another_number(closed: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"$0" -c "$1" {closed}', sys.executable, _PROGRAM],
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode > 2


def test_a_command_without_any_stream_ends_as_usual() -> None:
    done = subprocess.run(["sh", "-c", '"$0" -m segue --version <&- >&- 2>&-', sys.executable], check=False)
    assert done.returncode == 0
