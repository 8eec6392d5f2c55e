"""Cut Redis's append-only file as a crash of the machine does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

_MULTI = b"*1\r\n$5\r\nMULTI\r\n"

Command = tuple[int, int, list[bytes]]
"""The first byte of a command, the byte after its end, and its words."""


def newest(data: Path) -> Path:
    """Return the newest increment of the append-only file: Redis writes to it."""
    return max(data.glob("appendonlydir/*.incr.aof"), key=lambda path: int(path.name.split(".")[-3]))


def commands(file: bytes) -> Iterator[Command]:
    """Yield the commands of an increment in order; each command must be complete."""
    at = 0
    while at < len(file):
        begin, words = at, []
        count, at = _number(file, at, b"*")
        for _ in range(count):
            size, at = _number(file, at, b"$")
            words.append(file[at : at + size])
            at += size + 2
        yield begin, at, words


def cut_after(data: Path, *named: bytes) -> None:
    """Cut the file inside the command that follows the last command with these words.

    The server must be dead.
    """
    path = newest(data)
    read = list(commands(path.read_bytes()))
    following = max(i for i, (_, _, words) in enumerate(read) if {*named} <= {*words}) + 1
    with path.open("r+b") as file:
        file.truncate(read[following][0] + 5)


def cut_inside_save(data: Path, random: Random) -> int:
    """Cut the newest save inside a random command after its first; the server must be dead.

    Returns:
        The number of bytes cut off; 0 if the file has no save.
    """
    path = newest(data)
    file = path.read_bytes()
    begin = file.rfind(_MULTI)
    if begin < 0:
        return 0
    save = list(commands(file[begin:]))
    start, end, _ = random.choice(save[1:])
    with path.open("r+b") as opened:
        opened.truncate(begin + random.randint(start + 1, end - 1))
    return len(file) - path.stat().st_size


def _number(file: bytes, at: int, sign: bytes) -> tuple[int, int]:
    end = file.index(b"\r\n", at)
    assert file[at : at + 1] == sign
    return int(file[at + 1 : end]), end + 2
