"""The watchman by itself, with orders by a pipe as the guard gives them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from segue.services.process import watchman
from tests.support.servers.services import eventually


@contextmanager
def watching(
    parent: int, *orders: tuple[str, str, int | str]
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A watchman of this parent that has its orders, and the pipe, which stays open."""
    its_end, our_end = os.pipe()
    os.write(our_end, b"".join(json.dumps(order).encode() + b"\n" for order in orders))
    started = subprocess.Popen([sys.executable, "-I", "-S", watchman.__file__, str(parent)], stdin=its_end)
    os.close(its_end)
    try:
        yield started, our_end
    finally:
        started.kill()
        started.wait()
        os.close(our_end)


@pytest.fixture
def dead() -> int:
    """The id of a process that has ended."""
    ended = subprocess.Popen(["true"])
    ended.wait()
    return ended.pid


def test_one_that_starts_after_its_parent_s_death_still_does_what_it_was_told(
    dead: int, tmp_path: Path
) -> None:
    """Also where a forked child of the parent holds the pipe open, so that the input does not end."""
    (tmp_path / "ours").mkdir()
    server = subprocess.Popen(["sleep", "60"], start_new_session=True)
    orders: list[tuple[str, str, int | str]] = [
        ("+", "group", server.pid),
        ("+", "directory", str(tmp_path / "ours")),
    ]
    with watching(dead, *orders) as (started, _pipe):
        assert started.wait(30) == 0
    assert server.wait() == -9
    assert not (tmp_path / "ours").exists()


def test_no_signal_ends_it_before_its_parent(tmp_path: Path) -> None:
    """A service manager sends SIGTERM to every process of a service at once."""
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    with watching(os.getpid(), ("+", "directory", str(tmp_path / "first"))) as (started, pipe):
        status = Path(f"/proc/{started.pid}/status")

        def ignored() -> int:
            (line,) = [line for line in status.read_text().splitlines() if line.startswith("SigIgn")]
            return int(line.split()[1], 16)

        # SIGHUP, SIGINT, SIGTERM
        eventually(lambda: all(ignored() >> (number - 1) & 1 for number in (1, 2, 15)), "it ignores them")
        started.terminate()
        os.write(pipe, b'["+", "directory", "%s"]\n' % str(tmp_path / "second").encode())
        os.dup2(os.open(os.devnull, os.O_WRONLY), pipe)  # the input ends
        assert started.wait(30) == 0
    assert list(tmp_path.iterdir()) == []
