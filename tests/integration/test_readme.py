"""The README's walk, from a clone to a user who moves: its commands in a fresh folder with an empty HOME."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from segue.services import ServiceTrouble
from segue.services.programs.cache import cache_dir
from segue.services.programs.kafka_jars import check_programs
from segue.services.programs.redis_program import find_redis
from tests.support.servers.segue_process import clean_environment
from tests.support.servers.services import eventually, not_here

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
WALK = README.partition("\n## Your own data\n")[2].partition("\n## Events in, changes out\n")[0]

# Commands that go on until ctrl-C, and what they say when the next terminal's turn has come.
STAYING = {
    "segue up": "Next: run the two export lines",
    "segue worker": "lanes.owned",
    "python receiver.py segue triggers run triggers.toml": "Live: ",
}


BLOCKS = re.findall(r"^```sh\n(.*?)^```", WALK, re.MULTILINE | re.DOTALL)


def clone_into(folder: Path) -> Path:
    """The files of a clone, and the `.venv` that `make venv` would make, so that it need not make it."""
    not_cloned = shutil.ignore_patterns(
        ".git", ".venv", ".*_cache", ".hypothesis", "__pycache__", "segue-demo"
    )
    clone = shutil.copytree(ROOT, folder / "segue", ignore=not_cloned)
    (clone / ".venv").mkdir()
    (clone / ".venv" / "bin").symlink_to(Path(sys.prefix, "bin"))
    (clone / ".venv" / ".ready").touch()
    return clone


def environment_of_a_stranger(home: Path) -> dict[str, str]:
    """Nobody's settings, no activated environment, and Kafka's jars fetched before."""
    home.mkdir()
    kept = clean_environment(
        {
            "HOME": str(home),
            "XDG_CACHE_HOME": str(cache_dir().parent),
            "PATH": os.pathsep.join(
                place
                for place in os.environ["PATH"].split(os.pathsep)
                if place != str(Path(sys.prefix, "bin"))
            ),
        }
    )
    return {
        name: value for name, value in kept.items() if not name.startswith(("MAKE", "MFLAGS", "VIRTUAL_ENV"))
    }


class Terminal:
    """A shell in the clone that runs a pasted block of commands, and ends at the first that fails."""

    def __init__(self, clone: Path, environment: Mapping[str, str], commands: str, output: Path) -> None:
        self.commands = commands
        self._output = output
        with output.open("wb") as file:
            self._process = subprocess.Popen(
                ["bash", "-e", "-c", commands],
                cwd=clone,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self._output.read_text(encoding="utf-8")

    def says(self, text: str) -> None:
        def said() -> bool:
            if self._process.poll() is not None and text not in self.said:
                raise RuntimeError(f"it ended before it said {text!r}: {self.commands}\n{self.said}")
            return text in self.said

        eventually(said, f"{text!r} from {self.commands}")

    def ends(self, code: int = 0) -> None:
        def ended() -> bool:
            assert self._process.poll() is not None, self.said
            return True

        eventually(ended, f"the end of {self.commands}")
        assert self._process.returncode == code, f"{self.commands}\n{self.said}"

    def interrupt(self) -> None:
        """Ctrl-C."""
        os.killpg(self._process.pid, signal.SIGINT)

    def kill(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


@contextmanager
def terminals(clone: Path, environment: Mapping[str, str], folder: Path) -> Iterator[list[Terminal]]:
    """The README's blocks, one after the other, each in a terminal of its own, with the `export` lines."""
    opened: list[Terminal] = []
    exported: dict[str, str] = {}
    with ExitStack() as stack:
        for number, commands in enumerate(BLOCKS[:-1]):
            terminal = Terminal(
                clone, {**environment, **exported}, commands, folder / f"terminal-{number}.txt"
            )
            stack.callback(terminal.kill)
            opened.append(terminal)
            ready = STAYING.get(commands.splitlines()[-1])
            if ready is None:
                terminal.ends()
            else:
                terminal.says(ready)
            exported |= dict(re.findall(r"^export (\w+)=(.+)$", terminal.said, re.MULTILINE))
        yield opened


def test_blocks_can_be_pasted_into_every_shell() -> None:
    """An interactive zsh takes what follows a # for arguments."""
    assert len(BLOCKS) == 5
    assert "#" not in "".join(BLOCKS)


def test_the_webhook_comes_after_at_most_six_commands() -> None:
    """Of all terminals, after the set-up; `cp` and `cd` only put a shop's data in place."""
    lines = [line for block in BLOCKS for line in block.splitlines()]
    begin, end = lines.index(". .venv/bin/activate"), lines.index("segue ingest events.jsonl")
    commands = [line for line in lines[begin : end + 1] if re.match(r"(segue|python) ", line)]
    assert len(commands) <= 6, commands


@pytest.mark.long
@pytest.mark.timeout(400)
def test_the_walk_from_a_clone_to_a_user_who_moves(tmp_path: Path) -> None:
    try:
        check_programs()
        find_redis()
    except ServiceTrouble as trouble:
        not_here(str(trouble), trouble.install)
    clone, environment = clone_into(tmp_path), environment_of_a_stranger(tmp_path / "home")

    with terminals(clone, environment, tmp_path) as (servers, worker, triggers, last):
        told = " ".join(last.said.split())
        (change,) = re.findall(r"One of the changes: `(.+)`", WALK)
        assert change in last.said
        assert "User 1043 segment 2 Tumbly, Puzzles" in told
        assert not re.search(r"(?:^|\n)(?:warn|fail) ", last.said), last.said  # doctor's
        (webhook,) = re.findall(r"`(webhook: .+)`", WALK)
        triggers.says(webhook)
        for staying, code in ((triggers, 0), (worker, 130), (servers, 0)):
            staying.interrupt()
            staying.ends(code)
    Terminal(clone, environment, BLOCKS[-1], tmp_path / "cleaning.txt").ends()

    assert not (clone / "my-shop").exists()
    assert not (clone / ".segue").exists()
    assert list((tmp_path / "home").iterdir()) == []
