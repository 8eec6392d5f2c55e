"""What is printed where nobody reads, and where no room is left."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest

_PRINTS = {
    "write": "terminal.write('x')",
    "data.print": "terminal.data.print('x')",
    "show_whole": "terminal.show_whole(Table('x'))",
    "say": "terminal.say('x')",
}
_COMMANDS = {"--version": ["--version"], "--help": ["--help"], "train --help": ["train", "--help"]}


def program(prints: str) -> list[str]:
    """A command that prints so, until it is ended."""
    return [
        "-c",
        (
            "import sys; from rich.table import Table; from segue.cli import commands, main, terminal\n"
            f"def forever(_):\n  while True: {prints}\n"
            "commands.write = forever; sys.argv = ['segue', '--version']; main()"
        ),
    ]


def ended(arguments: list[str], output: Literal["stdout", "stderr"], file: int) -> tuple[int, str]:
    """The exit code with this output in this file, and what was told on the other one."""
    outputs = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, output: file}
    done = subprocess.run(
        [sys.executable, *arguments], stdin=subprocess.DEVNULL, text=True, check=False, timeout=60, **outputs
    )
    return done.returncode, (done.stdout if output == "stderr" else done.stderr)


@pytest.fixture
def unread() -> int:
    """The end of a pipe whose reader has gone, as that of `| head` goes."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


@pytest.mark.parametrize("arguments", _COMMANDS.values(), ids=list(_COMMANDS))
def test_a_command_that_nobody_reads_ends_without_a_word(arguments: list[str], unread: int) -> None:
    assert ended(["-m", "segue", *arguments], "stdout", unread) == (141, "")


@pytest.mark.parametrize("prints", list(_PRINTS))
def test_every_way_of_printing_ends_so(prints: str, unread: int) -> None:
    output: Literal["stdout", "stderr"] = "stderr" if prints == "say" else "stdout"

    assert ended(program(_PRINTS[prints]), output, unread) == (141, "")


@pytest.mark.parametrize("prints", ["write", "data.print"])
def test_a_full_disk_is_no_bug(prints: str) -> None:
    with Path("/dev/full").open("wb") as full:
        assert ended(program(_PRINTS[prints]), "stdout", full.fileno()) == (
            74,
            "Error: nothing can be written any more: No space left on device\n",
        )
